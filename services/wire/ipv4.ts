/**
 * IPv4 headers (RFC 791; DSCP and ECN of RFC 2474 and RFC 3168).
 *
 * ```
 *  0         1          2              4
 *  ├ ver│ihl ┼ dscp│ecn ┼ total length ┤
 *  4                    6              8
 *  ├ identification     ┼ 0│DF│MF│offset ┤   offset (13) in units of 8 bytes
 *  8         9          10             12
 *  ├ TTL     ┼ protocol ┼ checksum     ┤
 *  12                   16             20            4·ihl
 *  ├ source             ┼ destination  ┼ [ options ] ┤ payload   total length
 * ```
 */

import { getU16, getU32, setU16, setU32 } from "./big_endian.ts";
import { checksum } from "./checksum.ts";

/** Bytes of a header without options. */
export const IPV4_BYTES = 20;

/** The most bytes of options. */
export const IPV4_OPTIONS_BYTES_MAX = 40;

/** Protocol number of ICMP. */
export const PROTOCOL_ICMP = 1;
/** Protocol number of TCP. */
export const PROTOCOL_TCP = 6;
/** Protocol number of UDP. */
export const PROTOCOL_UDP = 17;

/** A header. */
export interface Ipv4Repr {
  /** Differentiated services code point, 6 bits. */
  readonly dscp: number;
  /** Explicit congestion notification, 2 bits. */
  readonly ecn: number;
  /** Which fragments belong together, 16 bits. */
  readonly identification: number;
  /** Whether routers must not cut it. */
  readonly dontFragment: boolean;
  /** Whether fragments follow this one. */
  readonly moreFragments: boolean;
  /** Where this fragment's payload starts, in units of 8 bytes; 13 bits. */
  readonly fragmentOffset: number;
  /** Hops left, 8 bits. */
  readonly ttl: number;
  /** What the payload is, 8 bits. */
  readonly protocol: number;
  /** 32 bits. */
  readonly source: number;
  /** 32 bits. */
  readonly destination: number;
  /** Padded to a multiple of 4, at most {@link IPV4_OPTIONS_BYTES_MAX} bytes. */
  readonly options: Uint8Array;
  /** Bytes behind the header, as the total length says. */
  readonly payloadBytes: number;
}

/** Why bytes are not an IPv4 packet. */
export type Ipv4Problem =
  | "truncated"
  | "version"
  | "header-length"
  | "total-length"
  | "checksum";

/**
 * Why the bytes from `at` to `end` do not start with a whole, valid IPv4
 * packet; undefined when they do. `"truncated"`: they end before the header or
 * the total length does.
 */
export function checkIpv4(
  bytes: Uint8Array,
  at: number,
  end: number,
): Ipv4Problem | undefined {
  if (at + IPV4_BYTES > end) return "truncated";
  if (bytes[at]! >>> 4 !== 4) return "version";
  const headerBytes = ipv4HeaderBytes(bytes, at);
  if (headerBytes < IPV4_BYTES) return "header-length";
  if (at + headerBytes > end) return "truncated";
  const totalBytes = ipv4TotalBytes(bytes, at);
  if (totalBytes < headerBytes) return "total-length";
  if (at + totalBytes > end) return "truncated";
  if (checksum(bytes, at, at + headerBytes) !== 0) return "checksum";
  return undefined;
}

/** Bytes of the header, options included, as it says itself. */
export function ipv4HeaderBytes(bytes: Uint8Array, at: number): number {
  return (bytes[at]! & 0xf) << 2;
}

/** Bytes of header and payload, as the header says. */
export function ipv4TotalBytes(bytes: Uint8Array, at: number): number {
  return getU16(bytes, at + 2);
}

/** Whether it is a fragment: more follow, or some went before. */
export function ipv4IsFragment(bytes: Uint8Array, at: number): boolean {
  return (getU16(bytes, at + 6) & 0x3fff) !== 0;
}

/** What the payload is. */
export function ipv4Protocol(bytes: Uint8Array, at: number): number {
  return bytes[at + 9]!;
}

/** Who sent it. */
export function ipv4Source(bytes: Uint8Array, at: number): number {
  return getU32(bytes, at + 12);
}

/** Whom it is for. */
export function ipv4Destination(bytes: Uint8Array, at: number): number {
  return getU32(bytes, at + 16);
}

/** Writes the checksum of a header of `headerBytes` bytes. */
export function fillIpv4Checksum(
  bytes: Uint8Array,
  at: number,
  headerBytes: number,
): void {
  setU16(bytes, at + 10, 0);
  setU16(bytes, at + 10, checksum(bytes, at, at + headerBytes));
}

/**
 * Whether one host can have `address`: not "this network" (0/8), loopback
 * (127/8), multicast, reserved or broadcast (224/3). RFC 1122 section 3.2.1.3.
 */
export function isHostAddress(address: number): boolean {
  const network = address >>> 24;
  return network !== 0 && network !== 127 && network < 224;
}

/** Reads the header at `start`; the payload follows {@link ipv4Bytes} further. */
export function parseIpv4(
  bytes: Uint8Array,
  start: number,
  end: number,
): Ipv4Repr | Ipv4Problem {
  const problem = checkIpv4(bytes, start, end);
  if (problem !== undefined) return problem;
  const headerBytes = ipv4HeaderBytes(bytes, start);
  const fragment = getU16(bytes, start + 6);
  return {
    dscp: bytes[start + 1]! >>> 2,
    ecn: bytes[start + 1]! & 3,
    identification: getU16(bytes, start + 4),
    dontFragment: (fragment & 0x4000) !== 0,
    moreFragments: (fragment & 0x2000) !== 0,
    fragmentOffset: fragment & 0x1fff,
    ttl: bytes[start + 8]!,
    protocol: ipv4Protocol(bytes, start),
    source: ipv4Source(bytes, start),
    destination: ipv4Destination(bytes, start),
    options: bytes.slice(start + IPV4_BYTES, start + headerBytes),
    payloadBytes: ipv4TotalBytes(bytes, start) - headerBytes,
  };
}

/** Bytes of the header. */
export function ipv4Bytes(repr: Ipv4Repr): number {
  return IPV4_BYTES + repr.options.length;
}

/**
 * Writes the header at `at`, checksum included; the payload is the caller's.
 * @returns the header's bytes.
 * @throws {RangeError} when it does not fit, its options are no multiple of 4
 * or too long, or header and payload are more than 65,535 bytes.
 */
export function emitIpv4(
  repr: Ipv4Repr,
  bytes: Uint8Array,
  at: number,
): number {
  const optionBytes = repr.options.length;
  const size = IPV4_BYTES + optionBytes;
  if (optionBytes % 4 !== 0 || optionBytes > IPV4_OPTIONS_BYTES_MAX) {
    throw new RangeError(
      `ipv4: options of ${optionBytes} bytes; they must be a multiple of 4, at most ${IPV4_OPTIONS_BYTES_MAX}`,
    );
  }
  if (at + size > bytes.length || size + repr.payloadBytes > 0xffff) {
    throw new RangeError(
      `ipv4: a header of ${size} bytes at ${at} of ${bytes.length} with a payload of ${repr.payloadBytes} does not fit`,
    );
  }
  bytes[at] = 0x40 | size >>> 2;
  bytes[at + 1] = repr.dscp << 2 | repr.ecn;
  setU16(bytes, at + 2, size + repr.payloadBytes);
  setU16(bytes, at + 4, repr.identification);
  setU16(
    bytes,
    at + 6,
    (repr.dontFragment ? 0x4000 : 0) | (repr.moreFragments ? 0x2000 : 0) |
      repr.fragmentOffset,
  );
  bytes[at + 8] = repr.ttl;
  bytes[at + 9] = repr.protocol;
  setU32(bytes, at + 12, repr.source);
  setU32(bytes, at + 16, repr.destination);
  bytes.set(repr.options, at + IPV4_BYTES);
  fillIpv4Checksum(bytes, at, size);
  return size;
}
