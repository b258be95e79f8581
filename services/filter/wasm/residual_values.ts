/**
 * Code for the values of a filter text. A load and a result that several
 * decisions want stays in a local, once the way has come past it; a load from a
 * computed place is checked once for each distance from there.
 */

import type { ValueId, Values } from "../residual/values.ts";
import type { Code, Label } from "./code.ts";
import { LOADS, writeSwapped } from "./load_code.ts";

/** What was computed on every way to a decision. */
export interface Computed {
  /** The values whose locals are set, a bit for each local. */
  readonly locals: bigint;
  /** Computed places, and how far from each the packet is known to reach. */
  readonly reached: ReadonlyMap<ValueId, number>;
}

/** Before anything was computed. */
export const NOTHING_COMPUTED: Computed = { locals: 0n, reached: new Map() };

/** What was computed on both of two ways. */
export function computedOnBoth(a: Computed, b: Computed): Computed {
  const locals = a.locals & b.locals;
  if (a.reached === b.reached) {
    return locals === a.locals ? a : { locals, reached: a.reached };
  }
  const reached = new Map<ValueId, number>();
  for (const [place, end] of a.reached) {
    const other = b.reached.get(place);
    if (other !== undefined) reached.set(place, Math.min(end, other));
  }
  return { locals, reached };
}

/** Where the packet is, and where to go when a value aborts. */
export interface Packet {
  readonly code: Code;
  /** The local with the address of its first byte. */
  readonly start: number;
  /** The local with its length in bytes. */
  readonly length: number;
  readonly rejects: Label;
}

/** How many values may stay in locals. */
const LOCALS_MAX = 96;

/** Writes values. What each leaves on the stack is a 32-bit number. */
export class ValueWriter {
  /** What was computed where the code is now. */
  computed: Computed = NOTHING_COMPUTED;
  readonly #packet: Packet;
  readonly #values: Values;
  readonly #variables: readonly number[];
  /** The values that stay, each with its bit and its local. */
  readonly #kept = new Map<ValueId, { bit: bigint; local: number }>();

  /** `uses` says how many decisions want each value; `variables` are locals. */
  constructor(
    packet: Packet,
    values: Values,
    uses: ReadonlyMap<ValueId, number>,
    variables: readonly number[],
  ) {
    this.#packet = packet;
    this.#values = values;
    this.#variables = variables;
    for (const [id, count] of uses) {
      if (count < 2 || this.#kept.size >= LOCALS_MAX) continue;
      const bit = 1n << BigInt(this.#kept.size);
      this.#kept.set(id, { bit, local: packet.code.local("i32") });
    }
  }

  /** Gives the locals back. */
  release(): void {
    for (const { local } of this.#kept.values()) {
      this.#packet.code.release("i32", local);
    }
  }

  /** Whether a value stays in a local. */
  isKept(id: ValueId): boolean {
    return this.#kept.has(id);
  }

  /** Forgets what was computed with a variable that has just been set. */
  forget(variable: number): void {
    const bit = 1n << BigInt(variable);
    const depends = (id: ValueId) =>
      (this.#values.traits(id).variables & bit) !== 0n;
    let { locals } = this.computed;
    for (const [id, kept] of this.#kept) {
      if (depends(id)) locals &= ~kept.bit;
    }
    const reached = new Map(
      [...this.computed.reached].filter(([place]) => !depends(place)),
    );
    this.computed = { locals, reached };
  }

  /** Leaves a value's number. */
  write(id: ValueId): void {
    const { code, length } = this.#packet;
    const value = this.#values.at(id);
    switch (value.kind) {
      case "constant":
        code.op("i32.const", value.value);
        return;
      case "length":
        code.op("local.get", length);
        return;
      case "variable":
        code.op("local.get", this.#variables[value.variable]!);
        return;
      case "load":
        this.writeRaw(id);
        writeSwapped(code, value.width);
        return;
      case "arithmetic":
        return this.#keep(id, () => this.#arithmetic(value));
    }
  }

  /** Leaves a load's bytes in the order of memory: for comparing with constants. */
  writeRaw(id: ValueId): void {
    const value = this.#values.at(id);
    if (value.kind !== "load") throw new Error("filter: expected a load");
    const { code, start, length, rejects } = this.#packet;
    const { base, offset, width } = value;
    this.#keep(id, () => {
      if (base === undefined) {
        code.op("local.get", start).op(LOADS[width], offset);
        return;
      }
      const place = code.local("i32");
      this.write(base);
      const end = offset + width;
      if ((this.computed.reached.get(base) ?? 0) < end) {
        // The packet has `end` bytes: the difference is not below 0.
        code.op("local.tee", place).op("local.get", length)
          .op("i32.const", end).op("i32.sub").op("i32.gt_u")
          .branch("br_if", rejects).op("local.get", place);
        const reached = new Map(this.computed.reached).set(base, end);
        this.computed = { ...this.computed, reached };
      }
      code.op("local.get", start).op("i32.add").op(LOADS[width], offset);
      code.release("i32", place);
    });
  }

  /** Leaves what `compute` leaves, or what a local has of it already. */
  #keep(id: ValueId, compute: () => void): void {
    const { code } = this.#packet;
    const kept = this.#kept.get(id);
    if (kept === undefined) return compute();
    if ((this.computed.locals & kept.bit) !== 0n) {
      code.op("local.get", kept.local);
      return;
    }
    compute();
    code.op("local.tee", kept.local);
    const locals = this.computed.locals | kept.bit;
    this.computed = { ...this.computed, locals };
  }

  #arithmetic(
    value: Extract<ReturnType<Values["at"]>, { kind: "arithmetic" }>,
  ): void {
    const { operator, left, right } = value;
    const { code } = this.#packet;
    this.write(left);
    switch (operator) {
      case "div":
      case "mod":
        this.#divisor(right);
        code.op(operator === "div" ? "i32.div_u" : "i32.rem_u");
        return;
      case "lsh":
      case "rsh":
        return this.#shift(operator === "lsh" ? "i32.shl" : "i32.shr_u", right);
      default:
        this.write(right);
        code.op(`i32.${operator}`);
    }
  }

  /** Leaves a divisor that is not 0. */
  #divisor(id: ValueId): void {
    const { code, rejects } = this.#packet;
    this.write(id);
    if (this.#values.constantOf(id) !== undefined) return;
    const divisor = code.local("i32");
    code.op("local.tee", divisor).op("i32.eqz").branch("br_if", rejects)
      .op("local.get", divisor);
    code.release("i32", divisor);
  }

  /** Shifts what is on the stack; by 32 or more it becomes 0. */
  #shift(op: "i32.shl" | "i32.shr_u", by: ValueId): void {
    const { code } = this.#packet;
    const known = this.#values.constantOf(by);
    if (known !== undefined) {
      if (known <= 31) code.op("i32.const", known).op(op);
      else code.op("i32.const", 0).op("i32.and");
      return;
    }
    const bits = code.local("i32");
    this.write(by);
    code.op("local.tee", bits).op(op)
      .op("i32.const", 0)
      .op("local.get", bits).op("i32.const", 32).op("i32.lt_u").op("select");
    code.release("i32", bits);
  }
}
