/**
 * ICMP for IPv4 (RFC 792; the next hop's MTU of RFC 1191).
 *
 * ```
 * 0      1      2          4                             8
 * ├ type ┼ code ┼ checksum ┼ identifier (2) │ sequence (2) ┤ data     echo
 *                          ├ 0 (2) │ next-hop MTU (2)      ┤ quote    unreachable
 *                          ├ 0 (4)                         ┤ quote    time exceeded
 * ```
 *
 * A quote is the header and the first bytes of the packet that is spoken of.
 */

import { getU16, getU32, setU16, setU32 } from "./big_endian.ts";
import { checksum } from "./checksum.ts";

/** Bytes of a message without data. */
export const ICMP_BYTES = 8;

/** Type of an echo reply. */
export const ICMP_ECHO_REPLY = 0;
/** Type of destination unreachable. */
export const ICMP_UNREACHABLE = 3;
/** Type of an echo request. */
export const ICMP_ECHO_REQUEST = 8;
/** Type of time exceeded. */
export const ICMP_TIME_EXCEEDED = 11;

/**
 * A message. Byte arrays are, after parsing, views of the bytes that were
 * parsed. What has no form of its own is `"opaque"`, as is an echo with a code.
 */
export type IcmpRepr =
  | {
    readonly kind: "echo-request" | "echo-reply";
    readonly identifier: number;
    readonly sequence: number;
    readonly payload: Uint8Array;
  }
  | {
    readonly kind: "destination-unreachable";
    readonly code: number;
    /** Bytes, for code 4 (fragmentation needed); 0 otherwise. */
    readonly nextHopMtu: number;
    readonly payload: Uint8Array;
  }
  | {
    readonly kind: "time-exceeded";
    readonly code: number;
    readonly payload: Uint8Array;
  }
  | {
    readonly kind: "opaque";
    readonly type: number;
    readonly code: number;
    /** Bytes 4 to 7, 32 bits. */
    readonly rest: number;
    readonly payload: Uint8Array;
  };

/** Why bytes are not a message. */
export type IcmpProblem = "truncated" | "checksum";

/** Why the bytes from `at` to `end` are not one message; undefined when they are. */
export function checkIcmp(
  bytes: Uint8Array,
  at: number,
  end: number,
): IcmpProblem | undefined {
  if (at + ICMP_BYTES > end) return "truncated";
  return checksum(bytes, at, end) === 0 ? undefined : "checksum";
}

/** What it says. */
export function icmpType(bytes: Uint8Array, at: number): number {
  return bytes[at]!;
}

/** What it says more closely. */
export function icmpCode(bytes: Uint8Array, at: number): number {
  return bytes[at + 1]!;
}

/** Whose echo it is. */
export function icmpIdentifier(bytes: Uint8Array, at: number): number {
  return getU16(bytes, at + 4);
}

/** Which echo it is. */
export function icmpSequence(bytes: Uint8Array, at: number): number {
  return getU16(bytes, at + 6);
}

/** Reads the message that fills `bytes[start..end)`. */
export function parseIcmp(
  bytes: Uint8Array,
  start: number,
  end: number,
): IcmpRepr | IcmpProblem {
  const problem = checkIcmp(bytes, start, end);
  if (problem !== undefined) return problem;
  const type = icmpType(bytes, start);
  const code = icmpCode(bytes, start);
  const payload = bytes.subarray(start + ICMP_BYTES, end);
  if ((type === ICMP_ECHO_REQUEST || type === ICMP_ECHO_REPLY) && code === 0) {
    return {
      kind: type === ICMP_ECHO_REQUEST ? "echo-request" : "echo-reply",
      identifier: icmpIdentifier(bytes, start),
      sequence: icmpSequence(bytes, start),
      payload,
    };
  }
  if (type === ICMP_UNREACHABLE) {
    const nextHopMtu = getU16(bytes, start + 6);
    return { kind: "destination-unreachable", code, nextHopMtu, payload };
  }
  if (type === ICMP_TIME_EXCEEDED) {
    return { kind: "time-exceeded", code, payload };
  }
  return {
    kind: "opaque",
    type,
    code,
    rest: getU32(bytes, start + 4),
    payload,
  };
}

/** Bytes of the message. */
export function icmpBytes(repr: IcmpRepr): number {
  return ICMP_BYTES + repr.payload.length;
}

/**
 * Writes the message at `at`, checksum included.
 * @returns its bytes.
 * @throws {RangeError} when it does not fit.
 */
export function emitIcmp(
  repr: IcmpRepr,
  bytes: Uint8Array,
  at: number,
): number {
  const size = icmpBytes(repr);
  if (at + size > bytes.length) {
    throw new RangeError(
      `icmp: ${size} bytes do not fit at ${at} of ${bytes.length}`,
    );
  }
  const [type, code, rest] = fixedPart(repr);
  bytes[at] = type;
  bytes[at + 1] = code;
  setU16(bytes, at + 2, 0);
  setU32(bytes, at + 4, rest);
  bytes.set(repr.payload, at + ICMP_BYTES);
  setU16(bytes, at + 2, checksum(bytes, at, at + size));
  return size;
}

/** Type, code, and bytes 4 to 7. */
function fixedPart(repr: IcmpRepr): readonly [number, number, number] {
  switch (repr.kind) {
    case "echo-request":
      return [ICMP_ECHO_REQUEST, 0, repr.identifier << 16 | repr.sequence];
    case "echo-reply":
      return [ICMP_ECHO_REPLY, 0, repr.identifier << 16 | repr.sequence];
    case "destination-unreachable":
      return [ICMP_UNREACHABLE, repr.code, repr.nextHopMtu];
    case "time-exceeded":
      return [ICMP_TIME_EXCEEDED, repr.code, 0];
    case "opaque":
      return [repr.type, repr.code, repr.rest];
  }
}
