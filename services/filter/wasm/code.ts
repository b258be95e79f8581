/** A function's code while it is written: instructions, labels and locals. */

import { FilterLimitError } from "../tree/merge.ts";
import {
  type Instruction,
  NO_RESULT,
  type OpName,
  VALUE_TYPES,
  type ValueType,
} from "./opcodes.ts";

/**
 * The most ways to one label. V8's optimising compiler ends the process where
 * 65,536 lead to one block ("Too many phi inputs", Deno 2.9).
 */
export const WAYS_TO_LABEL_MAX = 60_000;

/** A block that can be left, or a loop that can be taken again. */
export type Label = number;

/** Numbers that a function reads from a record instead of having them in its code. */
export class Constants {
  /** The local with the record's address. */
  readonly local: number;
  readonly #headBytes: number;
  readonly #bytes: number[] = [];

  /** Starts behind `headBytes` of the record whose address `local` holds. */
  constructor(local: number, headBytes: number) {
    this.local = local;
    this.#headBytes = headBytes;
  }

  /** Adds a number. Returns where it lies in the record. */
  add(type: ValueType, value: bigint): number {
    const at = this.#headBytes + this.#bytes.length;
    for (let shift = 0n; shift < (type === "i64" ? 64n : 32n); shift += 8n) {
      this.#bytes.push(Number((value >> shift) & 0xffn));
    }
    return at;
  }

  /** What the record has behind its head. */
  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** Collects the instructions of one function. */
export class Code {
  readonly #instructions: Instruction[] = [];
  readonly #locals: ValueType[] = [];
  readonly #free: Record<ValueType, number[]> = { i32: [], i64: [] };
  readonly #parameters: number;
  readonly #constants: Constants | undefined;
  #depth = 0;
  /** How many branches lead to the label of each block that is open. */
  readonly #waysTo: number[] = [];

  constructor(parameters: number, constants?: Constants) {
    this.#parameters = parameters;
    this.#constants = constants;
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

  /** Leaves a number on the stack that may differ between filters that are otherwise alike. */
  constant(type: ValueType, value: bigint): this {
    const constants = this.#constants;
    if (constants === undefined) return this.op(`${type}.const`, value);
    const at = constants.add(type, value);
    return this.op("local.get", constants.local).op(`${type}.load`, at);
  }

  /** Opens a block, a loop or an if. Returns its label. */
  open(kind: "block" | "loop" | "if", result?: ValueType): Label {
    this.op(kind, result === undefined ? NO_RESULT : VALUE_TYPES[result]);
    this.#depth++;
    this.#waysTo[this.#depth] = 0;
    return this.#depth;
  }

  /** Ends the block that was opened last. */
  close(): this {
    this.#depth--;
    return this.op("end");
  }

  /**
   * Jumps out of the block of `label`, or to the start of the loop.
   * @throws {FilterLimitError} beyond {@link WAYS_TO_LABEL_MAX}.
   */
  branch(op: "br" | "br_if", label: Label): this {
    this.#count(label);
    return this.op(op, this.#depth - label);
  }

  /** Jumps by the number on the stack; to the last label when it is beyond. */
  table(labels: readonly Label[]): this {
    for (const label of labels) this.#count(label);
    return this.op("br_table", ...labels.map((label) => this.#depth - label));
  }

  #count(label: Label): void {
    const ways = ++this.#waysTo[label]!;
    if (ways <= WAYS_TO_LABEL_MAX) return;
    throw new FilterLimitError(
      `filter: more than ${WAYS_TO_LABEL_MAX} ways lead to one place in the code`,
    );
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
