/**
 * A walk over headers (language/ir.ts, `Protochain`), as a loop that the
 * verifier sees the end of: it counts the headers.
 *
 * ```
 * r2 bytes from the IP header to the next one   r4 its type   r5 headers so far
 * r0 the types that IPv6 walks over, a bit each   r9 the bit of authentication's
 * r1, r3  scratch
 * ```
 *
 * The verifier goes through every round. At a conditional jump it puts the
 * jump's way off and takes the other one first; so the ways out stand where no
 * jump is, and nothing is put off for long.
 */

import {
  bitsOf,
  IPV6_EXTENSION,
  LIBPCAP_EXTENSIONS,
} from "../../wire/numbers.ts";
import type { Protochain } from "../language/ir.ts";
import type { Code } from "./assembler.ts";
import {
  addImm,
  addReg,
  ALU,
  andImm32,
  arithmeticImm32,
  arithmeticReg32,
  ja,
  jeqImm32,
  jgtImm,
  jleReg,
  jltImm,
  jneImm,
  load,
  loadImm64,
  lshImm,
  movImm,
  movReg,
  R0,
  R1,
  R2,
  R3,
  R4,
  R5,
  R7,
  R8,
  R9,
  type Register,
  rshReg,
} from "./instruction.ts";
import { FRAME_BYTES_MAX } from "./limits.ts";

/** Where a walk leads to. */
export interface ProtochainEnds {
  /** The protocol is there. */
  readonly found: string;
  /** The protocol is not there. */
  readonly missing: string;
  /** The walk leads out of the frame, or in a circle. */
  readonly reject: string;
}

const { authentication: AUTHENTICATION } = IPV6_EXTENSION;

/**
 * The most headers before a walk is in a circle. A header lies a multiple of
 * four bytes behind the IP header, and is walked over in one of two ways. In
 * IPv4 it is an authentication header, and lies where the one before it says: in
 * one of 256 places, or in the first.
 */
export const PROTOCHAIN_ROUNDS: Readonly<Record<4 | 6, number>> = {
  4: 1 + 256,
  6: 2 * (FRAME_BYTES_MAX / 4),
};

/** More than a header can be away in a frame of up to FRAME_BYTES_MAX: a mask for the verifier. */
const DISTANCE_MASK = 0x3fff;

/** Emits a walk. Of the first header, the length and the next header's type are in the frame. */
export function emitProtochain(
  code: Code,
  { version, offset, protocol }: Protochain,
  ends: ProtochainEnds,
): void {
  const loop = code.fresh("chain");
  const step = code.fresh("chain-step");
  code.push(
    load(1, R4, R7, offset + (version === 4 ? 9 : 6)),
    movImm(R5, 0),
  );
  if (version === 4) {
    code.push(load(1, R2, R7, offset), andImm32(R2, 15), lshImm(R2, 2));
    code.label(loop);
    if (protocol !== AUTHENTICATION) {
      code.push(jeqImm32(R4, AUTHENTICATION, step));
    }
  } else {
    code.push(movImm(R2, 40));
    loadBits(code, R0, [...LIBPCAP_EXTENSIONS, AUTHENTICATION], protocol);
    loadBits(code, R9, [AUTHENTICATION], protocol);
    code.label(loop);
    emitIsWalked(code, step);
  }
  code.push(jeqImm32(R4, protocol, ends.found), ja(ends.missing));
  code.label(step);
  emitInFrame(code, { version, offset }, ends.reject);
  if (version === 4) {
    code.push(load(1, R2, R1, offset + 1), addImm(R2, 2), lshImm(R2, 2));
  } else emitAdvance(code, offset);
  code.push(
    andImm32(R2, DISTANCE_MASK),
    load(1, R4, R1, offset),
    ja(loop),
  );
}

/** A bit for each of `types`, but none for the one that is looked for. */
function loadBits(
  code: Code,
  register: Register,
  types: readonly number[],
  protocol: number,
): void {
  const bits = bitsOf(types.filter((type) => type !== protocol));
  const [low, high] = [bits & 0xffffffffn, bits >> 32n];
  code.push(loadImm64(register, Number(low), Number(high)));
}

/** Goes to `step` when r4 is a type that IPv6 walks over. */
function emitIsWalked(code: Code, step: string): void {
  const small = code.fresh("chain-small");
  const end = code.fresh("chain-end");
  code.push(jltImm(R4, 64, small), ja(end));
  code.label(small);
  code.push(
    movReg(R3, R0),
    rshReg(R3, R4),
    andImm32(R3, 1),
    jneImm(R3, 0, step),
  );
  code.label(end);
}

/** Counts the header at r2, points r1 so that its first two bytes lie from `r1 + offset` on, or goes to `reject`. */
function emitInFrame(
  code: Code,
  { version, offset }: Pick<Protochain, "version" | "offset">,
  reject: string,
): void {
  const inside = code.fresh("chain-inside");
  code.push(
    addImm(R5, 1),
    jgtImm(R5, PROTOCHAIN_ROUNDS[version], reject),
    movReg(R1, R7),
    addReg(R1, R2),
    movReg(R3, R1),
    addImm(R3, offset + 2),
    jleReg(R3, R8, inside),
    ja(reject),
  );
  code.label(inside);
}

/**
 * Moves r2 past an IPv6 header, without a jump, which would give the verifier
 * twice as much to do. With r4 = 1 for an authentication header and 0 for
 * another, and U its second byte: `r2 * (1 - r4) + ((U + 1 + r4) * 8 >> r4)`.
 */
function emitAdvance(code: Code, offset: number): void {
  code.push(
    movReg(R3, R9),
    rshReg(R3, R4),
    andImm32(R3, 1),
    movReg(R4, R3),
    load(1, R3, R1, offset + 1),
    addImm(R3, 1),
    addReg(R3, R4),
    lshImm(R3, 3),
    rshReg(R3, R4),
    arithmeticImm32(ALU.XOR, R4, 1),
    arithmeticReg32(ALU.MUL, R2, R4),
    addReg(R2, R3),
  );
}
