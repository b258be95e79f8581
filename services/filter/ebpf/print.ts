/**
 * eBPF for people: a line an instruction, in the notation of llvm-objdump and of
 * the kernel's verifier.
 */

import { ALU, CLASS, JUMP, LD_IMM64, MODE, SIZE } from "./instruction.ts";
import type { Assembled } from "./assembler.ts";

const COMPARISON: Readonly<Record<number, string>> = {
  [JUMP.JEQ]: "==",
  [JUMP.JNE]: "!=",
  [JUMP.JGT]: ">",
  [JUMP.JGE]: ">=",
  [JUMP.JLT]: "<",
  [JUMP.JLE]: "<=",
};

const OPERATION: Readonly<Record<number, string>> = {
  [ALU.MOV]: "=",
  [ALU.ADD]: "+=",
  [ALU.SUB]: "-=",
  [ALU.MUL]: "*=",
  [ALU.DIV]: "/=",
  [ALU.MOD]: "%=",
  [ALU.AND]: "&=",
  [ALU.OR]: "|=",
  [ALU.XOR]: "^=",
  [ALU.LSH]: "<<=",
  [ALU.RSH]: ">>=",
};

const WIDTH: Readonly<Record<number, string>> = {
  [SIZE[1]]: "u8",
  [SIZE[2]]: "u16",
  [SIZE[4]]: "u32",
  [SIZE[8]]: "u64",
};

/** The parts of an encoded instruction. */
interface Parts {
  readonly opcode: number;
  readonly dst: string;
  readonly src: string;
  readonly offset: number;
  readonly imm: number;
}

/**
 * The program as text. An instruction that the emitter does not use is shown as
 * its eight bytes.
 */
export function printEbpf({ instructions, relocations }: Assembled): string {
  const { buffer, byteOffset, byteLength } = instructions;
  const view = new DataView(buffer, byteOffset, byteLength);
  const maps = new Map(relocations.map((one) => [one.instruction, one.map]));
  const lines: string[] = [];
  for (let index = 0; index * 8 < byteLength; index++) {
    const at = index * 8;
    const number = String(index).padStart(5);
    const parts = partsAt(view, at);
    if (parts.opcode !== LD_IMM64 || at + 16 > byteLength) {
      lines.push(`${number}: ${textOf(parts) ?? bytesText(instructions, at)}`);
      continue;
    }
    const map = maps.get(index);
    const value = (view.getBigUint64(at + 8, true) & 0xffffffff00000000n) |
      BigInt(parts.imm >>> 0);
    const text = map === undefined ? `0x${value.toString(16)}` : `map ${map}`;
    lines.push(`${number}: ${parts.dst} = ${text} ll`);
    index++;
  }
  return lines.join("\n") + "\n";
}

function partsAt(view: DataView, at: number): Parts {
  const opcode = view.getUint8(at);
  const registers = view.getUint8(at + 1);
  const kind = opcode & 7;
  const half = kind === CLASS.ALU32 || kind === CLASS.JMP32;
  const name = half && opcode >> 4 !== ALU.END >> 4 ? "w" : "r";
  return {
    opcode,
    dst: `${name}${registers & 15}`,
    src: `${name}${registers >> 4}`,
    offset: view.getInt16(at + 2, true),
    imm: view.getInt32(at + 4, true),
  };
}

function textOf(parts: Parts): string | undefined {
  switch (parts.opcode & 7) {
    case CLASS.ALU32:
    case CLASS.ALU64:
      return arithmeticText(parts);
    case CLASS.JMP:
    case CLASS.JMP32:
      return jumpText(parts);
    default:
      return memoryText(parts);
  }
}

function arithmeticText(parts: Parts): string | undefined {
  const { opcode, dst, src, imm } = parts;
  if (opcode === 0xdc) return `${dst} = be${imm} ${dst}`;
  const operation = OPERATION[opcode & 0xf0];
  if (operation === undefined) return undefined;
  return `${dst} ${operation} ${(opcode & 8) !== 0 ? src : imm}`;
}

function jumpText(parts: Parts): string | undefined {
  const { opcode, dst, src, offset, imm } = parts;
  if (opcode === (CLASS.JMP | JUMP.EXIT)) return "exit";
  if (opcode === (CLASS.JMP | JUMP.CALL)) return `call ${imm}`;
  if (opcode === (CLASS.JMP | JUMP.JA)) return `goto ${signed(offset)}`;
  const comparison = COMPARISON[opcode & 0xf0];
  if (comparison === undefined) return undefined;
  const right = (opcode & 8) !== 0 ? src : imm;
  return `if ${dst} ${comparison} ${right} goto ${signed(offset)}`;
}

function memoryText(parts: Parts): string | undefined {
  const { opcode, dst, src, offset, imm } = parts;
  const kind = opcode & 7;
  const width = WIDTH[opcode & 0x18]!;
  const base = kind === CLASS.LDX ? src : dst;
  const sign = offset < 0 ? "-" : "+";
  const place = `*(${width} *)(${base} ${sign} ${Math.abs(offset)})`;
  const mode = opcode & 0xe0;
  if (mode === MODE.ATOMIC && kind === CLASS.STX && imm === ALU.ADD) {
    return `lock ${place} += ${src}`;
  }
  if (mode !== MODE.MEM) return undefined;
  if (kind === CLASS.LDX) return `${dst} = ${place}`;
  return `${place} = ${kind === CLASS.STX ? src : imm}`;
}

function signed(offset: number): string {
  return offset < 0 ? `${offset}` : `+${offset}`;
}

function bytesText(instructions: Uint8Array, at: number): string {
  return [...instructions.subarray(at, at + 8)]
    .map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
