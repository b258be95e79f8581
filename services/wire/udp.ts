/**
 * UDP datagrams (RFC 768).
 *
 * ```
 * 0             2                  4        6          8
 * ├ source port ┼ destination port ┼ length ┼ checksum ┤ payload
 * ```
 *
 * The length counts the header. A checksum of 0 means that there is none; one
 * that comes out as 0 is written as 65,535.
 */

import { getU16, setU16 } from "./big_endian.ts";
import { checksum, foldSum } from "./checksum.ts";

/** Bytes of a header. */
export const UDP_BYTES = 8;

/** A datagram. */
export interface UdpRepr {
  /** 16 bits. */
  readonly sourcePort: number;
  /** 16 bits. */
  readonly destinationPort: number;
  /** Whether it carries a checksum. */
  readonly checksummed: boolean;
  /** After parsing: a view of the bytes that were parsed. */
  readonly payload: Uint8Array;
}

/** Why bytes are not a datagram. */
export type UdpProblem = "truncated" | "length" | "checksum";

/**
 * Why the bytes from `at` to `end` do not start with a whole, valid datagram;
 * undefined when they do. `pseudoSum` is the pseudo-header's sum without the
 * length (checksum.ts).
 */
export function checkUdp(
  bytes: Uint8Array,
  at: number,
  end: number,
  pseudoSum: number,
): UdpProblem | undefined {
  if (at + UDP_BYTES > end) return "truncated";
  const length = udpLength(bytes, at);
  if (length < UDP_BYTES) return "length";
  if (at + length > end) return "truncated";
  if (udpChecksum(bytes, at) === 0) return undefined;
  return checksum(bytes, at, at + length, pseudoSum + length) === 0
    ? undefined
    : "checksum";
}

/**
 * Completes a checksum that is the sum of the pseudo-header alone: so a kernel
 * leaves it for hardware (linux/skbuff.h, CHECKSUM_PARTIAL). Every other one
 * stays as it is, as do bytes that are no datagram. `pseudoSum` is the
 * pseudo-header's sum without the length (checksum.ts).
 */
export function completeUdp(
  bytes: Uint8Array,
  at: number,
  end: number,
  pseudoSum: number,
): void {
  if (at + UDP_BYTES > end) return;
  const length = udpLength(bytes, at);
  if (length < UDP_BYTES || at + length > end) return;
  if (udpChecksum(bytes, at) !== foldSum(pseudoSum + length)) return;
  setU16(bytes, at + 6, 0);
  const sum = checksum(bytes, at, at + length, pseudoSum + length);
  setU16(bytes, at + 6, sum === 0 ? 0xffff : sum);
}

/** The port that it comes from. */
export function udpSourcePort(bytes: Uint8Array, at: number): number {
  return getU16(bytes, at);
}

/** The port that it is for. */
export function udpDestinationPort(bytes: Uint8Array, at: number): number {
  return getU16(bytes, at + 2);
}

/** Bytes of header and payload, as the header says. */
export function udpLength(bytes: Uint8Array, at: number): number {
  return getU16(bytes, at + 4);
}

/** The checksum; 0 for none. */
export function udpChecksum(bytes: Uint8Array, at: number): number {
  return getU16(bytes, at + 6);
}

/** Sets both ports. */
export function setUdpPorts(
  bytes: Uint8Array,
  at: number,
  source: number,
  destination: number,
): void {
  setU16(bytes, at, source);
  setU16(bytes, at + 2, destination);
}

/**
 * Reads the datagram at `start`; what lies behind its length is not its own.
 * `pseudoSum` is the pseudo-header's sum without the length (checksum.ts).
 */
export function parseUdp(
  bytes: Uint8Array,
  start: number,
  end: number,
  pseudoSum: number,
): UdpRepr | UdpProblem {
  const problem = checkUdp(bytes, start, end, pseudoSum);
  if (problem !== undefined) return problem;
  return {
    sourcePort: udpSourcePort(bytes, start),
    destinationPort: udpDestinationPort(bytes, start),
    checksummed: udpChecksum(bytes, start) !== 0,
    payload: bytes.subarray(start + UDP_BYTES, start + udpLength(bytes, start)),
  };
}

/** Bytes of header and payload. */
export function udpBytes(repr: UdpRepr): number {
  return UDP_BYTES + repr.payload.length;
}

/**
 * Writes the datagram at `at`. `pseudoSum` is the pseudo-header's sum without
 * the length (checksum.ts).
 * @returns its bytes.
 * @throws {RangeError} when it does not fit, or is more than 65,535 bytes.
 */
export function emitUdp(
  repr: UdpRepr,
  bytes: Uint8Array,
  at: number,
  pseudoSum: number,
): number {
  const size = udpBytes(repr);
  if (at + size > bytes.length || size > 0xffff) {
    throw new RangeError(
      `udp: ${size} bytes do not fit at ${at} of ${bytes.length}`,
    );
  }
  setUdpPorts(bytes, at, repr.sourcePort, repr.destinationPort);
  setU16(bytes, at + 4, size);
  setU16(bytes, at + 6, 0);
  bytes.set(repr.payload, at + UDP_BYTES);
  if (repr.checksummed) {
    const sum = checksum(bytes, at, at + size, pseudoSum + size);
    setU16(bytes, at + 6, sum === 0 ? 0xffff : sum);
  }
  return size;
}
