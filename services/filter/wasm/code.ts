/** A function's code while it is written: instructions, labels and locals. */

import {
  type Instruction,
  NO_RESULT,
  type OpName,
  VALUE_TYPES,
  type ValueType,
} from "./opcodes.ts";

/** A block that can be left, or a loop that can be taken again. */
export type Label = number;

/** Collects the instructions of one function. */
export class Code {
  readonly #instructions: Instruction[] = [];
  readonly #locals: ValueType[] = [];
  readonly #free: Record<ValueType, number[]> = { i32: [], i64: [] };
  readonly #parameters: number;
  #depth = 0;

  constructor(parameters: number) {
    this.#parameters = parameters;
  }

  get instructions(): readonly Instruction[] {
    return this.#instructions;
  }

  /** Locals after the parameters. */
  get locals(): readonly ValueType[] {
    return this.#locals;
  }

  /** Appends an instruction. */
  op(op: OpName, ...immediates: readonly (number | bigint)[]): this {
    this.#instructions.push({ op, immediates });
    return this;
  }

  /** Opens a block, a loop or an if. Returns its label. */
  open(kind: "block" | "loop" | "if", result?: ValueType): Label {
    this.op(kind, result === undefined ? NO_RESULT : VALUE_TYPES[result]);
    this.#depth++;
    return this.#depth;
  }

  /** Ends the block that was opened last. */
  close(): this {
    this.#depth--;
    return this.op("end");
  }

  /** Jumps out of the block of `label`, or to the start of the loop. */
  branch(op: "br" | "br_if", label: Label): this {
    return this.op(op, this.#depth - label);
  }

  /** Jumps by the number on the stack; to the last label when it is beyond. */
  table(labels: readonly Label[]): this {
    return this.op("br_table", ...labels.map((label) => this.#depth - label));
  }

  /** A local that is free now. Its value is undefined. */
  local(type: ValueType): number {
    const free = this.#free[type].pop();
    if (free !== undefined) return free;
    this.#locals.push(type);
    return this.#parameters + this.#locals.length - 1;
  }

  /** Gives a local back. */
  release(type: ValueType, local: number): void {
    this.#free[type].push(local);
  }
}
