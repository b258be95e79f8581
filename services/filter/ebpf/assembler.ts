/**
 * From instructions and labels to bytes. What cannot be reached is left out (the
 * kernel refuses a program that has such), and so is a jump to what comes next
 * anyway. The other jumps get their distances, and each `ld_imm64` of a map is
 * noted for the loader.
 */

import type { KernelProgram } from "../../../caps/driver/program.ts";
import { CLASS, type Instruction, JUMP } from "./instruction.ts";
import { ProgramTooLarge } from "./limits.ts";

/** The farthest that a jump's signed 16 bits reach, in instructions. */
const JUMP_REACH = 32767;

/** Code under construction: instructions and labels, in order. */
export class Code {
  readonly #lines: (Instruction | string)[] = [];
  #fresh = 0;
  #jumpCount = 0;

  /** A label name that is not used yet; `hint` says what it is for. */
  fresh(hint: string): string {
    return `${hint}.${++this.#fresh}`;
  }

  /** Adds instructions. */
  push(...instructions: readonly Instruction[]): void {
    this.#lines.push(...instructions);
    for (const { target, opcode } of instructions) {
      const isConditional = target !== undefined &&
        opcode !== (CLASS.JMP | JUMP.JA);
      if (isConditional) this.#jumpCount++;
    }
  }

  /** Puts a label here: before whatever is pushed next. */
  label(name: string): void {
    this.#lines.push(name);
  }

  /** How many lines there are, labels and what cannot be reached included. */
  get lineCount(): number {
    return this.#lines.length;
  }

  /** How many conditional jumps there are, what cannot be reached included. */
  get jumpCount(): number {
    return this.#jumpCount;
  }

  /** See {@link assemble}. */
  assemble(): Assembled {
    return assemble(this.#lines);
  }
}

/** Machine code with what a loader has to fill in. */
export type Assembled = Pick<KernelProgram, "instructions" | "relocations">;

/**
 * Assembles `lines`: instructions, and strings for labels.
 *
 * @throws {ProgramTooLarge} when a jump is farther than 16 bits reach.
 * @throws {Error} when a label is missing or there twice, or when control can
 * run past the end: mistakes of whoever wrote the lines.
 */
export function assemble(lines: readonly (Instruction | string)[]): Assembled {
  const labels = labelsOf(lines);
  const kept = reachable(lines, labels);
  dropJumpsToNext(lines, labels, kept);
  const positions = new Uint32Array(lines.length);
  let position = 0;
  lines.forEach((line, index) => {
    positions[index] = position;
    if (typeof line !== "string" && kept[index] === 1) {
      position += wordsOf(line);
    }
  });

  const instructions = new Uint8Array(position * 8);
  const view = new DataView(instructions.buffer);
  const relocations: { instruction: number; map: number }[] = [];
  lines.forEach((line, index) => {
    if (typeof line === "string" || kept[index] === 0) return;
    const at = positions[index]!;
    const offset = line.target === undefined
      ? line.offset
      : distance(line.target, positions[labels.get(line.target)!]!, at);
    encode(view, at * 8, line, offset);
    if (line.map !== undefined) {
      relocations.push({ instruction: at, map: line.map });
    }
  });
  return { instructions, relocations };
}

/** Eight-byte words of an instruction. */
function wordsOf(instruction: Instruction): number {
  return instruction.immHigh === undefined ? 1 : 2;
}

function labelsOf(
  lines: readonly (Instruction | string)[],
): Map<string, number> {
  const labels = new Map<string, number>();
  lines.forEach((line, index) => {
    if (typeof line !== "string") return;
    if (labels.has(line)) {
      throw new Error(`eBPF assembler: the label ${line} is there twice`);
    }
    labels.set(line, index);
  });
  return labels;
}

/** Marks with 1 what control can get to from the first line. */
function reachable(
  lines: readonly (Instruction | string)[],
  labels: ReadonlyMap<string, number>,
): Uint8Array {
  const reached = new Uint8Array(lines.length);
  const pending = [0];
  while (pending.length > 0) {
    let index = pending.pop()!;
    for (; reached[index] !== 1; index++) {
      if (index >= lines.length) {
        throw new Error("eBPF assembler: control runs past the last line");
      }
      reached[index] = 1;
      const line = lines[index]!;
      if (typeof line === "string") continue;
      if (line.target !== undefined) {
        const target = labels.get(line.target);
        if (target === undefined) {
          throw new Error(`eBPF assembler: no label ${line.target}`);
        }
        pending.push(target);
      }
      if (endsFlow(line)) break;
    }
  }
  return reached;
}

/** Leaves out each jump, unconditional, to the instruction that comes next anyway. */
function dropJumpsToNext(
  lines: readonly (Instruction | string)[],
  labels: ReadonlyMap<string, number>,
  kept: Uint8Array,
): void {
  // From the end, so that of several in a row none is left. `next[i]` is the
  // first instruction that is kept at or after line i.
  const next = new Uint32Array(lines.length + 1).fill(lines.length);
  for (let index = lines.length - 1; index >= 0; index--) {
    const line = lines[index]!;
    next[index] = next[index + 1]!;
    if (typeof line === "string" || kept[index] === 0) continue;
    const target = line.opcode === (CLASS.JMP | JUMP.JA)
      ? labels.get(line.target!)!
      : -1;
    if (target > index && next[target] === next[index + 1]) kept[index] = 0;
    else next[index] = index;
  }
}

/** Whether control never goes on to the next instruction. */
function endsFlow(line: Instruction): boolean {
  return line.opcode === (CLASS.JMP | JUMP.JA) ||
    line.opcode === (CLASS.JMP | JUMP.EXIT);
}

function distance(label: string, to: number, at: number): number {
  const words = to - at - 1;
  if (Math.abs(words) > JUMP_REACH) {
    throw new ProgramTooLarge(
      `a jump to ${label} is ${words} instructions long; ${JUMP_REACH} is the most`,
    );
  }
  return words;
}

function encode(
  view: DataView,
  at: number,
  line: Instruction,
  offset: number,
): void {
  if (offset < -32768 || offset > 32767) {
    throw new Error(`eBPF assembler: offset ${offset} is not 16 bits wide`);
  }
  view.setUint8(at, line.opcode);
  view.setUint8(at + 1, (line.src << 4) | line.dst);
  view.setInt16(at + 2, offset, true);
  view.setInt32(at + 4, line.imm, true);
  if (line.immHigh !== undefined) view.setInt32(at + 12, line.immHigh, true);
}
