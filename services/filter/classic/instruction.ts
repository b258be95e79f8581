/**
 * Classic BPF, as the kernel takes it on a socket: an accumulator, an index
 * register, loads from the packet in network byte order, and jumps forward. A
 * load that ends beyond the packet ends the program with 0.
 *
 * ```
 *  0             2    3    4                     8   struct sock_filter
 *  ├ code ───────┼ jt ┼ jf ┼ k ──────────────────┤   host byte order: little-endian
 * ```
 *
 * Source: Linux include/uapi/linux/{filter,bpf_common}.h, Documentation/
 * networking/filter.rst.
 */

import type { SocketFilter } from "../../../caps/driver/program.ts";

/** One instruction; `then` and `otherwise` count instructions from the next one. */
export interface ClassicInstruction {
  /** Class, size, mode and operation. */
  readonly code: number;
  /** For a conditional jump: how far, when it holds. */
  readonly then: number;
  /** How far when it does not; {@link FAIL} stands for the end of the block. */
  readonly otherwise: number;
  /** 32 bits. */
  readonly k: number;
}

/** The farthest that a conditional jump reaches, in instructions. */
const JUMP_REACH = 255;

/** Where a jump goes when the block has failed: filled in once its length is known. */
const FAIL = -1;

/** Operations that are used here, by the header's names. */
const CODE = {
  LD_LEN: 0x80,
  LD_W_ABS: 0x20,
  LD_H_ABS: 0x28,
  LD_B_ABS: 0x30,
  LD_W_IND: 0x40,
  LD_H_IND: 0x48,
  LD_B_IND: 0x50,
  LDX_MSH: 0xb1,
  LDX_MEM: 0x61,
  ST: 0x02,
  ADD_K: 0x04,
  AND_K: 0x54,
  JA: 0x05,
  JEQ_K: 0x15,
  JGT_K: 0x25,
  JGE_K: 0x35,
  JGE_X: 0x3d,
  RET_K: 0x06,
  TXA: 0x87,
} as const;

/** linux/filter.h: loads from here on are not from the packet (SKF_AD_OFF). */
const ANCILLARY = -0x1000;
const ANCILLARY_VLAN_TAG = 44;
const ANCILLARY_VLAN_TAG_PRESENT = 48;

/** Bytes of a load. */
export type Width = 1 | 2 | 4;

/** A = the packet's length. */
export function loadLength(): ClassicInstruction {
  return make(CODE.LD_LEN, 0);
}

/** A = the bytes at `offset`. */
export function loadAt(width: Width, offset: number): ClassicInstruction {
  const code = { 1: CODE.LD_B_ABS, 2: CODE.LD_H_ABS, 4: CODE.LD_W_ABS }[width];
  return make(code, offset);
}

/** A = the bytes at X + `offset`. */
export function loadIndexed(width: Width, offset: number): ClassicInstruction {
  const code = { 1: CODE.LD_B_IND, 2: CODE.LD_H_IND, 4: CODE.LD_W_IND }[width];
  return make(code, offset);
}

/** X = 4 times the low four bits of the byte at `offset`: an IPv4 header's length. */
export function loadHeaderLength(offset: number): ClassicInstruction {
  return make(CODE.LDX_MSH, offset);
}

/** A = the VLAN tag that was taken out of the packet. */
export function loadVlanTag(): ClassicInstruction {
  return make(CODE.LD_H_ABS, ANCILLARY + ANCILLARY_VLAN_TAG);
}

/** A = whether one was taken out. */
export function loadVlanTagPresent(): ClassicInstruction {
  return make(CODE.LD_H_ABS, ANCILLARY + ANCILLARY_VLAN_TAG_PRESENT);
}

/** A = X + `more`, and then X = the same, by way of the scratch memory. */
export function advanceIndex(more: number): ClassicInstruction[] {
  return [
    make(CODE.TXA, 0),
    make(CODE.ADD_K, more),
    make(CODE.ST, 0),
    make(CODE.LDX_MEM, 0),
  ];
}

/** A &= mask. */
export function mask(bits: number): ClassicInstruction {
  return make(CODE.AND_K, bits);
}

/** Goes on when A is `value`; else the block fails. */
export function mustEqual(value: number): ClassicInstruction {
  return make(CODE.JEQ_K, value, 0, FAIL);
}

/** Goes on when A is not `value`; else the block fails. */
export function mustDiffer(value: number): ClassicInstruction {
  return make(CODE.JEQ_K, value, FAIL, 0);
}

/** Goes on when A ≥ `value`, unsigned; else the block fails. */
export function mustReach(value: number): ClassicInstruction {
  return make(CODE.JGE_K, value, 0, FAIL);
}

/** Goes on when A ≤ `value`, unsigned; else the block fails. */
export function mustNotExceed(value: number): ClassicInstruction {
  return make(CODE.JGT_K, value, FAIL, 0);
}

/** Goes on when A ≥ X, unsigned; else the block fails. */
export function mustReachIndex(): ClassicInstruction {
  return make(CODE.JGE_X, 0, 0, FAIL);
}

/** When A is `value`, passes over the next `skipped` instructions. */
export function skipIfEqual(
  value: number,
  skipped: number,
): ClassicInstruction {
  return make(CODE.JEQ_K, value, skipped, 0);
}

/** Passes over the next `skipped` instructions; there may be any number of them. */
export function jump(skipped: number): ClassicInstruction {
  return make(CODE.JA, skipped);
}

/** The end: how many bytes of the packet the socket takes, 0 for none. */
export function take(sizeBytes: number): ClassicInstruction {
  return make(CODE.RET_K, sizeBytes);
}

/** A block whose jumps to {@link FAIL} go to what follows it. */
export function closeBlock(
  block: readonly ClassicInstruction[],
): ClassicInstruction[] {
  return block.map((instruction, index) => {
    const { then, otherwise } = instruction;
    const left = block.length - index - 1;
    if (left > JUMP_REACH) {
      throw new Error(`a block of ${block.length} classic BPF instructions`);
    }
    return {
      ...instruction,
      then: then === FAIL ? left : then,
      otherwise: otherwise === FAIL ? left : otherwise,
    };
  });
}

/** The bytes of a program. */
export function encodeClassic(
  program: readonly ClassicInstruction[],
): SocketFilter {
  const instructions = new Uint8Array(program.length * 8);
  const view = new DataView(instructions.buffer);
  for (const [index, { code, then, otherwise, k }] of program.entries()) {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, then);
    view.setUint8(index * 8 + 3, otherwise);
    view.setUint32(index * 8 + 4, k >>> 0, true);
  }
  return { instructions };
}

function make(
  code: number,
  k: number,
  then = 0,
  otherwise = 0,
): ClassicInstruction {
  return { code, then, otherwise, k };
}
