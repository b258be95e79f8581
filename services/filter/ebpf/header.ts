/**
 * IP headers: what `HeaderAtom` promises, as instructions. A header is parsed
 * once for all branches that look at it in a row, and leaves two things behind:
 * a pointer to the byte after it, and what it carries:
 *
 * ```
 *  31        9      8        7           0
 *  ├─── 0 ───┼ is a fragment ┼─ protocol ┤
 * ```
 */

import { IPV6_EXTENSION, PLAIN_EXTENSIONS } from "../../wire/numbers.ts";
import { type HeaderAtom, IPV6_HEADERS_MAX } from "../tree/atom.ts";
import type { Code } from "./assembler.ts";
import {
  baseOffset,
  carriesOffset,
  emitBase,
  emitCheck,
  enterHeader,
  LENGTH_OFFSET,
  type Scope,
} from "./frame.ts";
import {
  addImm,
  addReg,
  andImm32,
  ja,
  jeqImm,
  jgtImm,
  jgtReg,
  jltImm,
  jneImm,
  load,
  lshImm,
  movImm,
  movReg,
  R0,
  R1,
  R10,
  R2,
  R3,
  R4,
  R5,
  R8,
  store,
} from "./instruction.ts";
import { FRAME_BYTES_MAX } from "./limits.ts";

const IS_FRAGMENT = 0x100;

/**
 * Moves the base past the header of `atom`, whatever that carries, or goes to
 * `fail`. Returns the scope behind the header.
 */
export function emitHeader(
  code: Code,
  scope: Scope,
  atom: HeaderAtom,
  fail: string,
): Scope {
  const { op, offset } = atom;
  const { depth } = scope;
  const base = emitBase(code, depth);
  const extent = { depth, base, sizeBytes: offset + (op === "ipv4" ? 20 : 40) };
  const behind = enterHeader(emitCheck(code, scope, extent, fail));
  if (base !== R3) code.push(movReg(R3, base));
  if (op === "ipv4") emitIpv4(code, offset, fail);
  else emitIpv6(code, offset, fail);
  // r2 is the header's length, and r4 what it carries.
  code.push(
    addReg(R3, R2),
    addImm(R3, offset),
    jgtReg(R3, R8, fail),
    store(8, R10, baseOffset(behind.depth), R3),
    store(4, R10, carriesOffset(behind.depth), R4),
  );
  return behind;
}

/** Goes to `fail` unless the header before `behind` carries what `atom` asks for. */
export function emitCarries(
  code: Code,
  behind: Scope,
  atom: HeaderAtom,
  fail: string,
): void {
  const { protocol, fragment } = atom;
  if (fragment === "any" && protocol === undefined) return;
  code.push(load(4, R1, R10, carriesOffset(behind.depth)));
  if (protocol !== undefined) {
    if (fragment === "any") code.push(andImm32(R1, 0xff));
    const flag = fragment === "fragment" ? IS_FRAGMENT : 0;
    code.push(jneImm(R1, protocol | flag, fail));
  } else if (fragment === "whole") {
    code.push(jgtImm(R1, IS_FRAGMENT - 1, fail));
  } else {
    code.push(jltImm(R1, IS_FRAGMENT, fail));
  }
}

/**
 * RFC 791, section 3.1:
 *
 * ```
 *  0         1                 6                    9
 *  ├ ver:ihl ┼ …               ┼ 0 DF MF:offset(13) ┼ protocol …
 *    4   4 bits
 * ```
 */
function emitIpv4(code: Code, offset: number, fail: string): void {
  const whole = code.fresh("ipv4-whole");
  code.push(
    load(1, R2, R3, offset),
    movReg(R1, R2),
    andImm32(R1, 0xf0),
    jneImm(R1, 0x40, fail),
    andImm32(R2, 0x0f),
    jltImm(R2, 5, fail),
    lshImm(R2, 2),
    load(1, R4, R3, offset + 9),
    // Loaded little-endian: MF (0x2000) and the offset (0x1fff), bytes swapped.
    load(2, R1, R3, offset + 6),
    andImm32(R1, 0xff3f),
    jeqImm(R1, 0, whole),
    addImm(R4, IS_FRAGMENT),
  );
  code.label(whole);
}

/**
 * RFC 8200, sections 3 and 4. The extension headers are walked by a loop that
 * the verifier sees the end of: it counts them.
 *
 * ```
 * r3 the base   r2 bytes from the IPv6 header to the next one   r4 its type
 * r5 headers so far   r0, r1 scratch
 * ```
 */
function emitIpv6(code: Code, offset: number, fail: string): void {
  const done = code.fresh("ipv6-done");
  code.push(
    load(1, R1, R3, offset),
    andImm32(R1, 0xf0),
    jneImm(R1, 0x60, fail),
    load(1, R4, R3, offset + 6),
    movImm(R2, 40),
    movImm(R5, 0),
  );
  emitBound(code, fail);
  emitExtensions(code, offset, done, fail);
  code.label(done);
}

/**
 * Headers that end more than `FRAME_BYTES_MAX` bytes on (r2) do not match: such
 * a frame is larger than a socket takes.
 *
 * The verifier does not follow a number through two bytes of the stack that are
 * not where an eight-byte slot starts. So it forgets which headers came before:
 * every round of the loop starts with the same knowledge, and what follows the
 * loop is verified once and not once a round.
 */
function emitBound(code: Code, fail: string): void {
  code.push(
    store(2, R10, LENGTH_OFFSET, R2),
    load(2, R2, R10, LENGTH_OFFSET),
    jgtImm(R2, FRAME_BYTES_MAX, fail),
  );
}

/** The loop of {@link emitIpv6}: ends at `done`, or at `fail`. */
function emitExtensions(
  code: Code,
  offset: number,
  done: string,
  fail: string,
): void {
  const loop = code.fresh("ipv6-next");
  const extension = code.fresh("ipv6-extension");
  const authentication = code.fresh("ipv6-authentication");
  const advance = code.fresh("ipv6-advance");
  const fragmentHeader = code.fresh("ipv6-fragment");
  code.label(loop);
  for (const type of PLAIN_EXTENSIONS) code.push(jeqImm(R4, type, extension));
  code.push(
    jeqImm(R4, IPV6_EXTENSION.authentication, authentication),
    jeqImm(R4, IPV6_EXTENSION.fragment, fragmentHeader),
    ja(done),
  );

  // RFC 8200, section 4.2: eight-byte units, the first not counted.
  code.label(extension);
  emitExtensionStart(code, offset, fail);
  code.push(load(1, R0, R1, offset + 1), addImm(R0, 1), lshImm(R0, 3));
  code.push(ja(advance));
  // RFC 4302, section 2.2: four-byte units, the first two not counted.
  code.label(authentication);
  emitExtensionStart(code, offset, fail);
  code.push(load(1, R0, R1, offset + 1), addImm(R0, 2), lshImm(R0, 2));
  code.label(advance);
  code.push(load(1, R4, R1, offset), addReg(R2, R0));
  emitBound(code, fail);
  code.push(
    movReg(R1, R3),
    addReg(R1, R2),
    addImm(R1, offset),
    jgtReg(R1, R8, fail),
    ja(loop),
  );

  code.label(fragmentHeader);
  emitExtensionStart(code, offset, fail);
  code.push(load(1, R4, R1, offset), addImm(R4, IS_FRAGMENT), addImm(R2, 8));
  emitBound(code, fail);
  code.push(ja(done));
}

/** Counts a header, and points r1 so that its first eight bytes lie from `r1 + offset` on. */
function emitExtensionStart(code: Code, offset: number, fail: string): void {
  code.push(
    addImm(R5, 1),
    jgtImm(R5, IPV6_HEADERS_MAX, fail),
    movReg(R1, R3),
    addReg(R1, R2),
    movReg(R0, R1),
    addImm(R0, offset + 8),
    jgtReg(R0, R8, fail),
  );
}
