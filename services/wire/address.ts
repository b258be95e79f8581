/**
 * Addresses as people write them. In frames and in cores a hardware address is
 * six bytes and an IPv4 address a number of 32 bits; text is for the edges.
 */

import ipaddr from "ipaddr.js";
import { MAC_BYTES } from "./ethernet.ts";

/** `02:00:5e:10:00:00` for the six bytes at `at`. */
export function formatMac(bytes: Uint8Array, at: number = 0): string {
  const parts: string[] = [];
  for (let i = at; i < at + MAC_BYTES; i++) {
    parts.push(bytes[i]!.toString(16).padStart(2, "0"));
  }
  return parts.join(":");
}

/** The six bytes of `02:00:5e:10:00:00`; undefined when `text` is no such thing. */
export function parseMac(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return Uint8Array.from(text.split(":"), (part) => parseInt(part, 16));
}

/** `10.77.0.2` for a number of 32 bits. */
export function formatIpv4(address: number): string {
  return `${address >>> 24}.${address >>> 16 & 255}.${address >>> 8 & 255}.${
    address & 255
  }`;
}

/**
 * The number of `10.77.0.2`; undefined when `text` is not four decimal numbers
 * from 0 to 255 without leading zeros.
 */
export function parseIpv4Address(text: string): number | undefined {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text)) return undefined;
  const [a, b, c, d] = ipaddr.IPv4.parse(text).octets as [
    number,
    number,
    number,
    number,
  ];
  return (a << 24 | b << 16 | c << 8 | d) >>> 0;
}

/** `fe80::1` for the sixteen bytes at `at` (RFC 5952). */
export function formatIpv6(bytes: Uint8Array, at: number = 0): string {
  return new ipaddr.IPv6([...bytes.subarray(at, at + 16)]).toRFC5952String();
}
