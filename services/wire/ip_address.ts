/**
 * IPv4 and IPv6 addresses as one type: plain data, which can be compared, counted
 * with, and posted. In the cores of one version an IPv4 address is a number, and in
 * frames both are bytes.
 */

import ipaddr from "ipaddr.js";
import { parseIpv4Address } from "./address.ts";

/** An address of either version. */
export interface IpAddress {
  /** 4 or 6. */
  readonly version: 4 | 6;
  /** 32 or 128 bits, the first byte of the address highest. */
  readonly value: bigint;
}

/** An address with the length of its network's prefix. */
export interface IpPrefix {
  /** The host part included. */
  readonly address: IpAddress;
  /** 0 to 32, or to 128. */
  readonly prefixBits: number;
}

/** Bits of an address of this version. */
export function addressBits(version: 4 | 6): 32 | 128 {
  return version === 4 ? 32 : 128;
}

/** The IPv4 address that is `value`, an unsigned number of 32 bits. */
export function ipv4Address(value: number): IpAddress {
  return { version: 4, value: BigInt(value >>> 0) };
}

/**
 * Reads `10.77.0.2` or `fd00::2` (RFC 4291, section 2.2).
 * @returns what is wrong, in words, for everything else: "is …".
 */
export function parseIpAddress(text: string): IpAddress | string {
  const ipv4 = parseIpv4Address(text);
  if (ipv4 !== undefined) return ipv4Address(ipv4);
  const zone = text.indexOf("%");
  if (zone >= 0) {
    return `has a zone (${
      text.slice(zone)
    }), which means something on one machine only`;
  }
  const value = parseIpv6(text);
  if (value === undefined) return "is no IPv4 or IPv6 address";
  // RFC 4291, section 2.5.5.2: never on a wire.
  if (value >> 32n === 0xffffn) {
    const mapped = { version: 4, value: value & 0xffff_ffffn } as const;
    return `is an IPv4 address in IPv6's form; write ${
      formatIpAddress(mapped)
    }`;
  }
  return { version: 6, value };
}

/**
 * Reads an address with its prefix: `10.77.0.2/24`, `fd00::2/64`.
 * @returns what is wrong, in words, for everything else: "is …".
 */
export function parseIpPrefix(text: string): IpPrefix | string {
  const slash = text.lastIndexOf("/");
  if (slash < 0) return "has no prefix, such as /24 or /64";
  const address = parseIpAddress(text.slice(0, slash));
  if (typeof address === "string") return address;
  const digits = text.slice(slash + 1);
  const most = addressBits(address.version);
  if (!/^(0|[1-9]\d{0,3})$/.test(digits) || Number(digits) > most) {
    return `has a prefix of ${digits} bits; IPv${address.version} has 0 to ${most}`;
  }
  return { address, prefixBits: Number(digits) };
}

/** `10.77.0.2` or `fd00::2` (RFC 5952). */
export function formatIpAddress({ version, value }: IpAddress): string {
  const bytes = bytesOfValue(value, addressBits(version) / 8);
  return version === 4
    ? bytes.join(".")
    : new ipaddr.IPv6(bytes).toRFC5952String();
}

/** `10.77.0.2/24` or `fd00::2/64`. */
export function formatIpPrefix({ address, prefixBits }: IpPrefix): string {
  return `${formatIpAddress(address)}/${prefixBits}`;
}

/** The bytes of an address, as they are in a frame: 4 or 16. */
export function ipAddressBytes(
  { version, value }: IpAddress,
): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytesOfValue(value, addressBits(version) / 8));
}

/** Whether both are the same address. */
export function sameIpAddress(a: IpAddress, b: IpAddress): boolean {
  return a.version === b.version && a.value === b.value;
}

/** Whether `address` is in the network of `prefix`. */
export function isInPrefix(address: IpAddress, prefix: IpPrefix): boolean {
  const { version, value } = prefix.address;
  const hostBits = BigInt(addressBits(version) - prefix.prefixBits);
  return address.version === version &&
    address.value >> hostBits === value >> hostBits;
}

/** The part of an address behind its network's prefix. */
export function hostPart({ address, prefixBits }: IpPrefix): bigint {
  return BigInt.asUintN(
    addressBits(address.version) - prefixBits,
    address.value,
  );
}

function bytesOfValue(value: bigint, count: number): number[] {
  return Array.from(
    { length: count },
    (_, i) => Number(value >> BigInt(8 * (count - 1 - i)) & 0xffn),
  );
}

/** The 128 bits of an IPv6 address; its last 32 may be written as IPv4's. */
function parseIpv6(text: string): bigint | undefined {
  // The library takes zeros in front, and `::1.2.3.4` for another address.
  const tail = /[^:]+$/.exec(text)?.[0] ?? "";
  if (tail.includes(".")) {
    const low = parseIpv4Address(tail);
    if (low === undefined) return undefined;
    const groups = [low >>> 16, low & 0xffff].map((one) => one.toString(16));
    return parseIpv6(text.slice(0, -tail.length) + groups.join(":"));
  }
  if (!/^[0-9a-f:]+$/i.test(text) || !ipaddr.IPv6.isValid(text)) {
    return undefined;
  }
  return ipaddr.IPv6.parse(text).parts.reduce(
    (sum: bigint, part: number) => sum << 16n | BigInt(part),
    0n,
  );
}
