/**
 * A filter text as a graph of decisions without cycles: each compares once and
 * says where to go on; two ends say whether the packet matches. What aborts
 * ends as what does not match.
 *
 * ```
 * ether type = 0x0800 ── no ──────────► rejected ◄─ whatever aborts
 *      │ yes                               ▲
 * protocol = 6 ───────── no ───────────────┘
 *      │ yes
 *   accepted
 * ```
 */

import type {
  Compare as TextCompare,
  Program,
  Protochain,
  Test,
} from "../language/ir.ts";
import { ABORTS, type ValueId, Values } from "./values.ts";

/** A step of the graph. `id`s count from 0, the ends first, targets before what leads to them. */
export type Decision =
  | { readonly kind: "end"; readonly id: number; readonly accepts: boolean }
  | Compare
  | {
    readonly kind: "protochain";
    readonly id: number;
    readonly chain: Protochain;
    readonly then: Decision;
    readonly otherwise: Decision;
  }
  | {
    readonly kind: "assign";
    readonly id: number;
    readonly variable: number;
    readonly value: ValueId;
    readonly then: Decision;
  }
  /** Goes on, unless computing the values aborts. */
  | {
    readonly kind: "touch";
    readonly id: number;
    readonly values: readonly ValueId[];
    readonly then: Decision;
  };

/** One comparison, unsigned. A constant stands right; with `>` it is not 0. */
export interface Compare {
  readonly kind: "compare";
  readonly id: number;
  readonly operator: "=" | ">";
  readonly left: ValueId;
  readonly right: ValueId;
  readonly then: Decision;
  readonly otherwise: Decision;
}

/** So many numbers of a set are compared one after the other. */
const COMPARED_MAX = 4;

/** Makes decisions; equal ones are one. */
export class DecisionGraph {
  readonly values: Values = new Values();
  readonly rejected: Decision = { kind: "end", id: 0, accepts: false };
  readonly accepted: Decision = { kind: "end", id: 1, accepts: true };
  readonly #known = new Map<string, Decision>();
  #next = 2;

  /** How many decisions were made so far. */
  get size(): number {
    return this.#next;
  }

  /** The graph of a whole program. */
  build(program: Program): Decision {
    return this.#test(program.test, this.accepted, this.rejected);
  }

  /** Where to go for a comparison; fewer steps than one where it is decided. */
  compare(
    operator: TextCompare["operator"],
    operands: { readonly left: ValueId; readonly right: ValueId },
    then: Decision,
    otherwise: Decision,
  ): Decision {
    const { values } = this;
    const { left, right } = operands;
    if (left === ABORTS || right === ABORTS) return this.rejected;
    const swapped = { left: right, right: left };
    switch (operator) {
      case "any-bit": {
        const common = values.arithmetic("and", left, right);
        const zero = { left: common, right: values.constant(0) };
        return this.compare("=", zero, otherwise, then);
      }
      case ">=":
        return this.compare(">", swapped, otherwise, then);
      case "=":
        if (values.constantOf(left) !== undefined) {
          if (values.constantOf(right) === undefined) {
            return this.compare("=", swapped, then, otherwise);
          }
        }
        return this.#equal(left, right, then, otherwise);
      case ">":
        return this.#greater(left, right, then, otherwise);
    }
  }

  /** Goes on to `then`, after storing. */
  assign(variable: number, value: ValueId, then: Decision): Decision {
    if (value === ABORTS || then === this.rejected) return this.rejected;
    return this.#enter(
      `assign ${variable} ${value} ${then.id}`,
      (id) => ({ kind: "assign", id, variable, value, then }),
    );
  }

  /** Goes on to one of the two, after a walk over headers. */
  protochain(
    chain: Protochain,
    then: Decision,
    otherwise: Decision,
  ): Decision {
    if (then === this.rejected && otherwise === then) return then;
    const { version, offset, protocol } = chain;
    return this.#enter(
      `chain ${version} ${offset} ${protocol} ${then.id} ${otherwise.id}`,
      (id) => ({ kind: "protochain", id, chain, then, otherwise }),
    );
  }

  /** Goes on to `then` unless computing the values aborts. */
  touch(values: readonly ValueId[], then: Decision): Decision {
    const felt = values.filter((id) => {
      const { bytes, mayAbort } = this.values.traits(id);
      return bytes > 0 || mayAbort;
    });
    if (felt.length === 0 || then === this.rejected) return then;
    return this.#enter(
      `touch ${felt} ${then.id}`,
      (id) => ({ kind: "touch", id, values: felt, then }),
    );
  }

  #test(test: Test, then: Decision, otherwise: Decision): Decision {
    switch (test.kind) {
      case "always":
        return test.value ? then : otherwise;
      case "not":
        return this.#test(test.test, otherwise, then);
      case "and":
        return test.tests.reduceRight(
          (next, part) => this.#test(part, next, otherwise),
          then,
        );
      case "or":
        return test.tests.reduceRight(
          (next, part) => this.#test(part, then, next),
          otherwise,
        );
      case "compare": {
        const left = this.values.add(test.left);
        const right = this.values.add(test.right);
        return this.compare(test.operator, { left, right }, then, otherwise);
      }
      case "member": {
        const value = this.values.add(test.value);
        return this.#member(value, test.numbers, then, otherwise);
      }
      case "assign":
        return this.assign(test.variable, this.values.add(test.value), then);
      case "protochain":
        return this.protochain(test, then, otherwise);
    }
  }

  /** Halves the numbers, which are sorted, until so few are left that each is compared. */
  #member(
    value: ValueId,
    numbers: readonly number[],
    then: Decision,
    otherwise: Decision,
  ): Decision {
    const { values } = this;
    const against = (number: number) => ({
      left: value,
      right: values.constant(number),
    });
    if (numbers.length <= COMPARED_MAX) {
      return numbers.reduceRight(
        (next, number) => this.compare("=", against(number), then, next),
        otherwise,
      );
    }
    const middle = numbers.length >>> 1;
    const low = this.#member(value, numbers.slice(0, middle), then, otherwise);
    const high = this.#member(value, numbers.slice(middle), then, otherwise);
    return this.compare(">", against(numbers[middle - 1]!), high, low);
  }

  #equal(
    left: ValueId,
    right: ValueId,
    then: Decision,
    otherwise: Decision,
  ): Decision {
    const wanted = this.values.constantOf(right);
    if (left === right) return this.touch([left], then);
    if (wanted !== undefined && wanted > this.values.traits(left).max) {
      return this.touch([left], otherwise);
    }
    if (wanted !== undefined && this.values.constantOf(left) !== undefined) {
      return otherwise;
    }
    return this.#enterCompare("=", { left, right }, then, otherwise);
  }

  #greater(
    left: ValueId,
    right: ValueId,
    then: Decision,
    otherwise: Decision,
  ): Decision {
    const { values } = this;
    const a = values.constantOf(left);
    const b = values.constantOf(right);
    if (a !== undefined && b !== undefined) return a > b ? then : otherwise;
    if (a !== undefined) {
      // a > v is not (v > a - 1).
      if (a === 0) return this.touch([right], otherwise);
      const least = { left: right, right: values.constant(a - 1) };
      return this.compare(">", least, otherwise, then);
    }
    if (b === 0) {
      return this.compare("=", { left, right }, otherwise, then);
    }
    if (left === right) return this.touch([left], otherwise);
    if (b !== undefined && b >= values.traits(left).max) {
      return this.touch([left], otherwise);
    }
    return this.#enterCompare(">", { left, right }, then, otherwise);
  }

  #enterCompare(
    operator: "=" | ">",
    { left, right }: { readonly left: ValueId; readonly right: ValueId },
    then: Decision,
    otherwise: Decision,
  ): Decision {
    if (then === otherwise) return this.touch([left, right], then);
    return this.#enter(
      `${operator} ${left} ${right} ${then.id} ${otherwise.id}`,
      (id) => ({ kind: "compare", id, operator, left, right, then, otherwise }),
    );
  }

  #enter(key: string, make: (id: number) => Decision): Decision {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = make(this.#next++);
    this.#known.set(key, made);
    return made;
  }
}

/** Where a decision leads to. */
export function targetsOf(decision: Decision): readonly Decision[] {
  switch (decision.kind) {
    case "end":
      return [];
    case "assign":
    case "touch":
      return [decision.then];
    default:
      return [decision.then, decision.otherwise];
  }
}

/** The values that a decision computes. */
export function valuesOf(decision: Decision): readonly ValueId[] {
  switch (decision.kind) {
    case "compare":
      return [decision.left, decision.right];
    case "assign":
      return [decision.value];
    case "touch":
      return decision.values;
    default:
      return [];
  }
}
