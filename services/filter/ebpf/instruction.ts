/**
 * eBPF instructions as typed values. An instruction is eight bytes, here
 * little-endian (x86-64, arm64):
 *
 * ```
 *  0        1         2                4                                8
 *  ├ opcode ┼ src:dst ┼─ offset (s16) ─┼────────── immediate (s32) ─────┤
 *            4   4 bits
 * ```
 *
 * `ld_imm64` is two of them; the second has only an immediate, the upper half.
 * Source: Linux Documentation/bpf/standardization/instruction-set.rst (RFC 9669),
 * include/uapi/linux/bpf.h.
 */

/** A register: r0 result, r1 to r5 arguments, r6 to r9 kept over calls, r10 the frame pointer. */
export type Register = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;

/** The registers by name. */
export const R0 = 0,
  R1 = 1,
  R2 = 2,
  R3 = 3,
  R4 = 4,
  R5 = 5,
  R6 = 6,
  R7 = 7,
  R8 = 8,
  R9 = 9,
  R10 = 10;

/** One instruction before its jump is resolved. */
export interface Instruction {
  /** Class, operation and source, as the kernel numbers them. */
  readonly opcode: number;
  /** Destination register. */
  readonly dst: Register;
  /** Source register, or a pseudo source such as "a map's file descriptor". */
  readonly src: Register;
  /** Signed 16 bits; a jump's is filled in from `target`. */
  readonly offset: number;
  /** 32 bits, signed or not; the lower half of an `ld_imm64`. */
  readonly imm: number;
  /** The upper half of an `ld_imm64`; there is one exactly for those. */
  readonly immHigh?: number;
  /** The label that this jumps to. */
  readonly target?: string;
  /** The map, by index, whose file descriptor this `ld_imm64` wants. */
  readonly map?: number;
}

/** What an instruction does: the low three bits of its opcode. */
export const CLASS = {
  LD: 0x00,
  LDX: 0x01,
  ST: 0x02,
  STX: 0x03,
  ALU32: 0x04,
  JMP: 0x05,
  JMP32: 0x06,
  ALU64: 0x07,
} as const;

/** Arithmetic, in the high four bits of an ALU opcode. */
export const ALU = {
  ADD: 0x00,
  SUB: 0x10,
  MUL: 0x20,
  DIV: 0x30,
  OR: 0x40,
  AND: 0x50,
  LSH: 0x60,
  RSH: 0x70,
  MOD: 0x90,
  XOR: 0xa0,
  MOV: 0xb0,
  END: 0xd0,
} as const;

/** Jumps, in the high four bits of a JMP opcode. Comparisons are unsigned. */
export const JUMP = {
  JA: 0x00,
  JEQ: 0x10,
  JGT: 0x20,
  JGE: 0x30,
  JNE: 0x50,
  CALL: 0x80,
  EXIT: 0x90,
  JLT: 0xa0,
  JLE: 0xb0,
} as const;

/** The second operand is a register rather than the immediate. */
export const SOURCE_REGISTER = 0x08;

/** How memory is addressed, in the high three bits of a load's or store's opcode. */
export const MODE = { IMM: 0x00, MEM: 0x60, ATOMIC: 0xc0 } as const;

/** Bytes of a memory access, and how the opcode says it. */
export const SIZE = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 } as const;

/** Bytes of a memory access. */
export type Size = keyof typeof SIZE;

/** `src` of an `ld_imm64` whose immediate is a map's file descriptor (BPF_PSEUDO_MAP_FD). */
export const PSEUDO_MAP_FD = 1;

/** The opcode of `ld_imm64`. */
export const LD_IMM64: number = CLASS.LD | SIZE[8] | MODE.IMM;

/** `dst = imm`, sign-extended to 64 bits. */
export function movImm(dst: Register, imm: number): Instruction {
  return make(CLASS.ALU64 | ALU.MOV, dst, 0, 0, imm);
}

/** `dst = src`. */
export function movReg(dst: Register, src: Register): Instruction {
  return make(CLASS.ALU64 | ALU.MOV | SOURCE_REGISTER, dst, src, 0, 0);
}

/** `dst += imm`, 64 bits. */
export function addImm(dst: Register, imm: number): Instruction {
  return make(CLASS.ALU64 | ALU.ADD, dst, 0, 0, imm);
}

/** `dst += src`, 64 bits. */
export function addReg(dst: Register, src: Register): Instruction {
  return make(CLASS.ALU64 | ALU.ADD | SOURCE_REGISTER, dst, src, 0, 0);
}

/** `dst -= src`, 64 bits; of two pointers into a packet their distance, too. */
export function subReg(dst: Register, src: Register): Instruction {
  return make(CLASS.ALU64 | ALU.SUB | SOURCE_REGISTER, dst, src, 0, 0);
}

/** `dst >>= src`, 64 bits, of `src` the low six. */
export function rshReg(dst: Register, src: Register): Instruction {
  return make(CLASS.ALU64 | ALU.RSH | SOURCE_REGISTER, dst, src, 0, 0);
}

/** `dst = dst operation imm`, 32 bits unsigned; the upper half becomes zero. One of {@link ALU}. */
export function arithmeticImm32(
  operation: number,
  dst: Register,
  imm: number,
): Instruction {
  return make(CLASS.ALU32 | operation, dst, 0, 0, imm);
}

/** `dst = dst operation src`, 32 bits unsigned; the upper half becomes zero. One of {@link ALU}. */
export function arithmeticReg32(
  operation: number,
  dst: Register,
  src: Register,
): Instruction {
  return make(CLASS.ALU32 | operation | SOURCE_REGISTER, dst, src, 0, 0);
}

/** `dst &= imm`, 32 bits; the upper half becomes zero. */
export function andImm32(dst: Register, imm: number): Instruction {
  return make(CLASS.ALU32 | ALU.AND, dst, 0, 0, imm);
}

/** `dst <<= imm`, 64 bits. */
export function lshImm(dst: Register, imm: number): Instruction {
  return make(CLASS.ALU64 | ALU.LSH, dst, 0, 0, imm);
}

/** Turns the low 16 or 32 bits of `dst` between host and big-endian order; the rest becomes zero. */
export function toBigEndian(dst: Register, bits: 16 | 32): Instruction {
  return make(CLASS.ALU32 | ALU.END | SOURCE_REGISTER, dst, 0, 0, bits);
}

/** `dst = *(size *)(base + offset)`, zero-extended. */
export function load(
  size: Size,
  dst: Register,
  base: Register,
  offset: number,
): Instruction {
  return make(CLASS.LDX | MODE.MEM | SIZE[size], dst, base, offset, 0);
}

/** `*(size *)(base + offset) = src`. */
export function store(
  size: Size,
  base: Register,
  offset: number,
  src: Register,
): Instruction {
  return make(CLASS.STX | MODE.MEM | SIZE[size], base, src, offset, 0);
}

/** `*(size *)(base + offset) = imm`. */
export function storeImm(
  size: Size,
  base: Register,
  offset: number,
  imm: number,
): Instruction {
  return make(CLASS.ST | MODE.MEM | SIZE[size], base, 0, offset, imm);
}

/** `lock *(u64 *)(base + offset) += src`. */
export function atomicAdd64(
  base: Register,
  offset: number,
  src: Register,
): Instruction {
  return make(CLASS.STX | MODE.ATOMIC | SIZE[8], base, src, offset, ALU.ADD);
}

/** `dst = high:low`, two instructions long. */
export function loadImm64(
  dst: Register,
  low: number,
  high: number,
): Instruction {
  return { ...make(LD_IMM64, dst, 0, 0, low), immHigh: high | 0 };
}

/** `dst = map`: the map at index `map` of the program, two instructions long. */
export function loadMap(dst: Register, map: number): Instruction {
  return {
    ...make(LD_IMM64, dst, PSEUDO_MAP_FD, 0, 0),
    immHigh: 0,
    map,
  };
}

/** `goto target`. */
export function ja(target: string): Instruction {
  return { ...make(CLASS.JMP | JUMP.JA, 0, 0, 0, 0), target };
}

/** `if dst == imm goto target`, 64 bits. */
export function jeqImm(
  dst: Register,
  imm: number,
  target: string,
): Instruction {
  return { ...make(CLASS.JMP | JUMP.JEQ, dst, 0, 0, imm), target };
}

/** `if dst != imm goto target`, 64 bits. */
export function jneImm(
  dst: Register,
  imm: number,
  target: string,
): Instruction {
  return { ...make(CLASS.JMP | JUMP.JNE, dst, 0, 0, imm), target };
}

/** `if dst > imm goto target`, 64 bits, unsigned. */
export function jgtImm(
  dst: Register,
  imm: number,
  target: string,
): Instruction {
  return { ...make(CLASS.JMP | JUMP.JGT, dst, 0, 0, imm), target };
}

/** `if dst < imm goto target`, 64 bits, unsigned. */
export function jltImm(
  dst: Register,
  imm: number,
  target: string,
): Instruction {
  return { ...make(CLASS.JMP | JUMP.JLT, dst, 0, 0, imm), target };
}

/** `if dst > src goto target`, 64 bits, unsigned; for two pointers into a packet too. */
export function jgtReg(
  dst: Register,
  src: Register,
  target: string,
): Instruction {
  return {
    ...make(CLASS.JMP | JUMP.JGT | SOURCE_REGISTER, dst, src, 0, 0),
    target,
  };
}

/** `if dst <= src goto target`, 64 bits, unsigned; for two pointers into a packet too. */
export function jleReg(
  dst: Register,
  src: Register,
  target: string,
): Instruction {
  return {
    ...make(CLASS.JMP | JUMP.JLE | SOURCE_REGISTER, dst, src, 0, 0),
    target,
  };
}

/** `if (u32)dst condition imm goto target`, unsigned. One of {@link JUMP}. */
export function jumpImm32(
  condition: number,
  dst: Register,
  imm: number,
  target: string,
): Instruction {
  return { ...make(CLASS.JMP32 | condition, dst, 0, 0, imm), target };
}

/** `if (u32)dst condition (u32)src goto target`, unsigned. One of {@link JUMP}. */
export function jumpReg32(
  condition: number,
  dst: Register,
  src: Register,
  target: string,
): Instruction {
  const opcode = CLASS.JMP32 | condition | SOURCE_REGISTER;
  return { ...make(opcode, dst, src, 0, 0), target };
}

/** `if (u32)dst == imm goto target`. */
export function jeqImm32(
  dst: Register,
  imm: number,
  target: string,
): Instruction {
  return { ...make(CLASS.JMP32 | JUMP.JEQ, dst, 0, 0, imm), target };
}

/** `if (u32)dst > imm goto target`, unsigned. */
export function jgtImm32(
  dst: Register,
  imm: number,
  target: string,
): Instruction {
  return { ...make(CLASS.JMP32 | JUMP.JGT, dst, 0, 0, imm), target };
}

/** `if (u32)dst >= imm goto target`, unsigned. */
export function jgeImm32(
  dst: Register,
  imm: number,
  target: string,
): Instruction {
  return { ...make(CLASS.JMP32 | JUMP.JGE, dst, 0, 0, imm), target };
}

/** `if (u32)dst < imm goto target`, unsigned. */
export function jltImm32(
  dst: Register,
  imm: number,
  target: string,
): Instruction {
  return { ...make(CLASS.JMP32 | JUMP.JLT, dst, 0, 0, imm), target };
}

/** The kernel's functions that a program calls, by their number (enum bpf_func_id). */
export const HELPER = {
  MAP_LOOKUP_ELEM: 1,
  REDIRECT_MAP: 51,
  XDP_ADJUST_META: 54,
} as const;

/** `r0 = helper(r1, …, r5)`; r1 to r5 hold nothing afterwards. */
export function call(helper: number): Instruction {
  return make(CLASS.JMP | JUMP.CALL, 0, 0, 0, helper);
}

/** `return r0`. */
export function exit(): Instruction {
  return make(CLASS.JMP | JUMP.EXIT, 0, 0, 0, 0);
}

function make(
  opcode: number,
  dst: Register,
  src: Register,
  offset: number,
  imm: number,
): Instruction {
  return { opcode, dst, src, offset, imm: imm | 0 };
}
