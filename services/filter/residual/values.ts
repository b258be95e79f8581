/**
 * The values of a filter text, each kept once and folded: constants are
 * computed, and what computes the same has one number. Folding keeps every load
 * and every division that could abort (language/ir.ts), unless it was made
 * before on the same way.
 */

import type { Operator, Value as TextValue } from "../language/ir.ts";

/** The number of a value in its {@link Values}. */
export type ValueId = number;

/** A division by the constant 0: no packet comes past it. */
export const ABORTS = -1;

/** A value; its parts are numbers of others. A negation is a difference from 0. */
export type Value =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "length" }
  | { readonly kind: "variable"; readonly variable: number }
  | {
    readonly kind: "load";
    readonly width: 1 | 2 | 4;
    /** Undefined for the packet's first byte. */
    readonly base: ValueId | undefined;
    readonly offset: number;
  }
  | {
    readonly kind: "arithmetic";
    readonly operator: Operator;
    readonly left: ValueId;
    readonly right: ValueId;
  };

/** What is known of a value whatever the packet. */
export interface Traits {
  /** The value is never greater. */
  readonly max: number;
  /** Packets shorter than this abort. */
  readonly bytes: number;
  /** Longer packets may abort, too. */
  readonly mayAbort: boolean;
  /** The variables in it, one bit each. */
  readonly variables: bigint;
}

const WORD_MAX = 0xffffffff;

/** All values of one text. */
export class Values {
  readonly #values: Value[] = [];
  readonly #traits: Traits[] = [];
  readonly #ids = new Map<string, ValueId>();

  /** How many there are: 0 to `size - 1`. */
  get size(): number {
    return this.#values.length;
  }

  /** The value of a number. */
  at(id: ValueId): Value {
    return this.#values[id]!;
  }

  /** What is known of it. */
  traits(id: ValueId): Traits {
    return this.#traits[id]!;
  }

  /** Number that the value is where it is constant; undefined where it is not. */
  constantOf(id: ValueId): number | undefined {
    const value = this.at(id);
    return value.kind === "constant" ? value.value : undefined;
  }

  /** A constant's number. */
  constant(value: number): ValueId {
    return this.#enter({ kind: "constant", value: value >>> 0 });
  }

  /** The number of a text's value, or {@link ABORTS}. */
  add(value: TextValue): ValueId {
    switch (value.kind) {
      case "load": {
        if (value.base === undefined) return this.#load(value, undefined);
        const base = this.add(value.base);
        return base === ABORTS ? ABORTS : this.#load(value, base);
      }
      case "arithmetic": {
        const left = this.add(value.left);
        const right = this.add(value.right);
        return this.arithmetic(value.operator, left, right);
      }
      case "negate": {
        const operand = this.add(value.operand);
        return this.arithmetic("sub", this.constant(0), operand);
      }
      default:
        return this.#enter(value);
    }
  }

  /**
   * Simplifies a value where some are known: `known` says their numbers. Only what
   * was computed before on the same way may be known.
   */
  fold(
    id: ValueId,
    known: (id: ValueId) => number | undefined,
  ): ValueId {
    const found = known(id);
    if (found !== undefined) return this.constant(found);
    const value = this.at(id);
    if (value.kind === "load" && value.base !== undefined) {
      const base = this.fold(value.base, known);
      return base === ABORTS ? ABORTS : this.#load(value, base);
    }
    if (value.kind !== "arithmetic") return id;
    const left = this.fold(value.left, known);
    const right = this.fold(value.right, known);
    return this.arithmetic(value.operator, left, right);
  }

  /** An operator's result, or {@link ABORTS}. */
  arithmetic(operator: Operator, left: ValueId, right: ValueId): ValueId {
    if (left === ABORTS || right === ABORTS) return ABORTS;
    const a = this.constantOf(left);
    const b = this.constantOf(right);
    if (b === 0 && (operator === "div" || operator === "mod")) return ABORTS;
    if (a !== undefined && b !== undefined) {
      return this.constant(compute(operator, a, b));
    }
    if (a !== undefined && COMMUTES.has(operator)) {
      return this.arithmetic(operator, right, left);
    }
    if (b !== undefined) {
      if (b === NEUTRAL[operator]) return left;
      if (operator === "and" && coversAll(this.traits(left).max, b)) {
        return left;
      }
      const inner = this.at(left);
      if (operator === "and" && inner.kind === "arithmetic") {
        const mask = inner.operator === "and"
          ? this.constantOf(inner.right)
          : undefined;
        if (mask !== undefined) {
          const both = this.constant(mask & b);
          return this.arithmetic("and", inner.left, both);
        }
      }
    }
    return this.#enter({ kind: "arithmetic", operator, left, right });
  }

  #load(
    load: { readonly width: 1 | 2 | 4; readonly offset: number },
    base: ValueId | undefined,
  ): ValueId {
    const { width, offset } = load;
    const at = base === undefined ? 0 : this.constantOf(base);
    // An address is the sum without wrapping: beyond 32 bits it stays a sum.
    if (at !== undefined && at + offset <= WORD_MAX) {
      const sum = at + offset;
      return this.#enter({ kind: "load", width, base: undefined, offset: sum });
    }
    return this.#enter({ kind: "load", width, base, offset });
  }

  #enter(value: Value): ValueId {
    const key = keyOf(value);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#values.length;
    this.#values.push(value);
    this.#traits.push(this.#traitsOf(value));
    this.#ids.set(key, id);
    return id;
  }

  #traitsOf(value: Value): Traits {
    switch (value.kind) {
      case "constant":
        return { max: value.value, bytes: 0, mayAbort: false, variables: 0n };
      case "length":
        return { max: WORD_MAX, bytes: 0, mayAbort: false, variables: 0n };
      case "variable": {
        const variables = 1n << BigInt(value.variable);
        return { max: WORD_MAX, bytes: 0, mayAbort: false, variables };
      }
      case "load": {
        const base = value.base === undefined
          ? undefined
          : this.traits(value.base);
        return {
          max: 2 ** (8 * value.width) - 1,
          bytes: Math.max(base?.bytes ?? 0, value.offset + value.width),
          mayAbort: base !== undefined,
          variables: base?.variables ?? 0n,
        };
      }
      case "arithmetic": {
        const left = this.traits(value.left);
        const right = this.traits(value.right);
        const divides = value.operator === "div" || value.operator === "mod";
        const byZero = divides && this.constantOf(value.right) === undefined;
        return {
          max: maxOf(value.operator, left.max, right.max),
          bytes: Math.max(left.bytes, right.bytes),
          mayAbort: left.mayAbort || right.mayAbort || byZero,
          variables: left.variables | right.variables,
        };
      }
    }
  }
}

const COMMUTES: ReadonlySet<Operator> = new Set(
  ["add", "mul", "and", "or", "xor"] as const,
);

/** What leaves the left operand as it is. */
const NEUTRAL: Readonly<Record<Operator, number | undefined>> = {
  add: 0,
  sub: 0,
  mul: 1,
  div: 1,
  mod: undefined,
  and: WORD_MAX,
  or: 0,
  xor: 0,
  lsh: 0,
  rsh: 0,
};

/** Whether a mask keeps every bit that a value up to `max` can have. */
function coversAll(max: number, mask: number): boolean {
  const bits = max === 0 ? 0 : WORD_MAX >>> Math.clz32(max);
  return (bits & ~mask) === 0;
}

function maxOf(operator: Operator, left: number, right: number): number {
  switch (operator) {
    case "and":
      return Math.min(left, right);
    case "div":
    case "mod":
      return left;
    default:
      return WORD_MAX;
  }
}

/** A result on constants; the divisor is not 0. */
function compute(operator: Operator, left: number, right: number): number {
  switch (operator) {
    case "add":
      return left + right;
    case "sub":
      return left - right;
    case "mul":
      return Math.imul(left, right);
    case "div":
      return Math.floor(left / right);
    case "mod":
      return left % right;
    case "and":
      return left & right;
    case "or":
      return left | right;
    case "xor":
      return left ^ right;
    case "lsh":
      return right > 31 ? 0 : left << right;
    case "rsh":
      return right > 31 ? 0 : left >>> right;
  }
}

function keyOf(value: Value): string {
  switch (value.kind) {
    case "constant":
      return `${value.value}`;
    case "length":
      return "length";
    case "variable":
      return `v${value.variable}`;
    case "load":
      return `load ${value.base ?? ""}+${value.offset}:${value.width}`;
    case "arithmetic":
      return `${value.operator} ${value.left} ${value.right}`;
  }
}
