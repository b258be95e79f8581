/**
 * How emitted code holds the packet, and how it loads a field of it.
 *
 * ```
 * r6  ctx (struct xdp_md)              r8  data_end
 * r7  data: the frame's first byte     r9  the tag; before that, scratch
 * r1  the field loaded last            r0, r2 to r5  scratch
 *
 * r10 - 4        the receive queue, then a counter's index
 * r10 - 12       bytes of the IPv6 headers so far: two bytes
 * r10 - 24 - 8d  the base after d + 1 headers: a pointer into the packet
 * r10 - 84 - 8d  what the header before it carries: see header.ts
 * r10 - 256      a flow table's key, upwards
 * ```
 *
 * Each load is preceded by a comparison with data_end unless one on the way to
 * it covered it already. The verifier follows the same reasoning: what it knows
 * of a pointer it knows of the pointer's copy on the stack.
 */

import type { Field } from "../tree/atom.ts";
import type { Code } from "./assembler.ts";
import {
  addImm,
  andImm32,
  jgtReg,
  load,
  movReg,
  R1,
  R10,
  R2,
  R3,
  R7,
  R8,
  type Register,
  toBigEndian,
} from "./instruction.ts";
import {
  FRAME_BYTES_MAX,
  HEADER_DEPTH_MAX,
  ProgramTooLarge,
} from "./limits.ts";

/** Where the receive queue lies on the stack: four bytes. */
export const QUEUE_OFFSET: number = -4;

/** Where the length of the IPv6 headers so far lies on the stack: two bytes. */
export const LENGTH_OFFSET: number = -12;

/** Where a flow table's key starts on the stack. */
export const KEY_OFFSET: number = -256;

/** What is known at one point of the code. It holds on every way to that point. */
export interface Scope {
  /** How many headers lie before the base; 0 for the frame's first byte. */
  readonly depth: number;
  /** `checked[d]`: bytes from the base behind `d` headers that are in the frame. */
  readonly checked: readonly number[];
}

/** The base is the frame's first byte, and nothing is known of its length. */
export const FRAME_SCOPE: Scope = { depth: 0, checked: [0] };

/**
 * The scope behind a further header, whose end {@link baseOffset} holds.
 * @throws {ProgramTooLarge} behind more than `HEADER_DEPTH_MAX` headers.
 */
export function enterHeader(scope: Scope): Scope {
  if (scope.depth >= HEADER_DEPTH_MAX) {
    throw new ProgramTooLarge(
      `IP headers nest deeper than ${HEADER_DEPTH_MAX}`,
    );
  }
  return { depth: scope.depth + 1, checked: [...scope.checked, 0] };
}

/** Where the base behind `depth` headers (1 or more) lies on the stack. */
export function baseOffset(depth: number): number {
  return -16 - 8 * depth;
}

/**
 * Where what the last of `depth` headers carries lies on the stack: four bytes,
 * not at the start of a slot, so that the verifier takes them for any number.
 */
export function carriesOffset(depth: number): number {
  return -76 - 8 * depth;
}

/**
 * Leaves a pointer to the base behind `depth` headers in the register that it
 * names: r7, or r3.
 */
export function emitBase(code: Code, depth: number): Register {
  if (depth === 0) return R7;
  code.push(load(8, R3, R10, baseOffset(depth)));
  return R3;
}

/** Bytes that must be in the frame from a base on. */
export interface Extent {
  /** How many headers lie before the base. */
  readonly depth: number;
  /** The base, as {@link emitBase} left it. */
  readonly base: Register;
  /** Bytes from there. */
  readonly sizeBytes: number;
}

/**
 * Makes sure that `extent` is in the frame, or goes to `fail`. Uses r2. Returns
 * the scope that holds from here.
 *
 * @throws {ProgramTooLarge} when it ends beyond FRAME_BYTES_MAX.
 */
export function emitCheck(
  code: Code,
  scope: Scope,
  extent: Extent,
  fail: string,
): Scope {
  const { depth, base, sizeBytes } = extent;
  if (sizeBytes > FRAME_BYTES_MAX) {
    throw new ProgramTooLarge(
      `a filter reads ${sizeBytes} bytes behind a header; ${FRAME_BYTES_MAX} is the most`,
    );
  }
  if (sizeBytes <= scope.checked[depth]!) return scope;
  code.push(movReg(R2, base), addImm(R2, sizeBytes), jgtReg(R2, R8, fail));
  return { ...scope, checked: scope.checked.with(depth, sizeBytes) };
}

/**
 * Loads `field` into r1, masked and in host order, or goes to `fail` when it is
 * not wholly in the frame. Uses r2 and r3. Returns the scope that holds from here.
 */
export function emitField(
  code: Code,
  scope: Scope,
  field: Field,
  fail: string,
): Scope {
  const { offset, width, mask } = field;
  const depth = field.from === "frame" ? 0 : scope.depth;
  const base = emitBase(code, depth);
  const extent = { depth, base, sizeBytes: offset + width };
  const inside = emitCheck(code, scope, extent, fail);
  code.push(load(width, R1, base, offset));
  if (width !== 1) code.push(toBigEndian(R1, width === 2 ? 16 : 32));
  if (mask !== 2 ** (8 * width) - 1) code.push(andImm32(R1, mask));
  return inside;
}
