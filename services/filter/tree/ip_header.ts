/** Where an IP header ends and what it carries, read as a header atom means it. */

import { IPV6_EXTENSION, WALKED_EXTENSIONS } from "../../wire/numbers.ts";
import { IPV6_HEADERS_MAX } from "./atom.ts";

/** What a header atom finds out. */
export interface IpHeader {
  /** The byte after the header, extension headers included. */
  readonly end: number;
  /** What comes there. */
  readonly protocol: number;
  /** Whether it is a part of a datagram, or says it might be. */
  readonly fragment: boolean;
}

/** Reads the header at `start` of `frame`; undefined where it is not whole. */
export function readIpHeader(
  version: "ipv4" | "ipv6",
  frame: Uint8Array,
  start: number,
): IpHeader | undefined {
  return version === "ipv4" ? readIpv4(frame, start) : readIpv6(frame, start);
}

/**
 * RFC 791, section 3.1:
 *
 * ```
 * 0 version:4 length:4 │ 6 0 DF MF offset:13 │ 9 protocol │ 12 src │ 16 dst │ 20 options
 * ```
 */
function readIpv4(frame: Uint8Array, start: number): IpHeader | undefined {
  if (start + 20 > frame.length) return undefined;
  const first = frame[start]!;
  const end = start + (first & 15) * 4;
  if (first >> 4 !== 4 || end < start + 20 || end > frame.length) {
    return undefined;
  }
  const flags = frame[start + 6]! * 256 + frame[start + 7]!;
  return {
    end,
    protocol: frame[start + 9]!,
    fragment: (flags & 0x3fff) !== 0,
  };
}

/**
 * RFC 8200, sections 3 and 4; RFC 4302, section 2, for the authentication
 * header, which alone counts its length in words of 4 bytes, less 2; RFC 6275,
 * section 6.1.1, for mobility.
 */
function readIpv6(frame: Uint8Array, start: number): IpHeader | undefined {
  if (start + 40 > frame.length || frame[start]! >> 4 !== 6) return undefined;
  let protocol = frame[start + 6]!;
  let end = start + 40;
  for (let headers = 0;; headers++) {
    const fragment = protocol === IPV6_EXTENSION.fragment;
    const authentication = protocol === IPV6_EXTENSION.authentication;
    if (!WALKED_EXTENSIONS.includes(protocol)) {
      return { end, protocol, fragment: false };
    }
    if (headers === IPV6_HEADERS_MAX || end + 8 > frame.length) {
      return undefined;
    }
    const length = frame[end + 1]!;
    const sizeBytes = fragment
      ? 8
      : authentication
      ? (length + 2) * 4
      : (length + 1) * 8;
    if (end + sizeBytes > frame.length) return undefined;
    protocol = frame[end]!;
    end += sizeBytes;
    if (fragment) return { end, protocol, fragment: true };
  }
}
