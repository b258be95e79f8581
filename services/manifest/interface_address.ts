/** The addresses that a system answers on: IPv4 and IPv6 with their prefixes, and Ethernet. */

import { parseMac } from "../wire/address.ts";
import {
  formatIpPrefix,
  hostPart,
  type IpPrefix,
  parseIpPrefix,
} from "../wire/ip_address.ts";

/** An IPv4 address with the length of its network's prefix. */
export interface InterfaceAddress {
  /** The address as an unsigned number, first byte highest. */
  readonly address: number;
  /** Bits of the network's prefix, 1 to 32. */
  readonly prefixBits: number;
  /** As it is written: `10.77.0.2/24`. */
  readonly text: string;
}

/** Why an address was refused, after "expected …". */
export interface AddressProblem {
  readonly problem: string;
}

/** The most addresses of a system: a service's grant has some conjunctions for each. */
export const ADDRESSES_MAX = 16;

/**
 * Reads `10.77.0.2/24` or `fd00::2/64`, with a prefix of 1 bit or more. Refused are
 * addresses that no host can have: RFC 1122, section 3.2.1.3; RFC 5771 and RFC 4291,
 * section 2.7 (multicast); RFC 1112, section 4 (240.0.0.0/4). A prefix of 31 bits
 * has neither a network nor a broadcast address (RFC 3021), one of 127 no router's
 * anycast address (RFC 6164).
 */
export function readSystemAddress(text: string): IpPrefix | AddressProblem {
  const prefix = parseIpPrefix(text);
  if (typeof prefix === "string") {
    return {
      problem:
        `expected an address with its prefix, such as 10.77.0.2/24 or fd00::2/64; this ${prefix}`,
    };
  }
  const reason = prefix.prefixBits === 0
    ? "an address without a network (a prefix of 0 bits)"
    : prefix.address.version === 4
    ? whyNoHost4(prefix)
    : whyNoHost6(prefix);
  return reason === undefined
    ? prefix
    : { problem: `expected a host's address; this is ${reason}` };
}

/** The first IPv4 address of `addresses`, of which there is one at least. */
export function firstIpv4(addresses: readonly IpPrefix[]): InterfaceAddress {
  return interfaceAddress(
    addresses.find(({ address }) => address.version === 4)!,
  );
}

/** An IPv4 address as its cores and its people have it. */
export function interfaceAddress(prefix: IpPrefix): InterfaceAddress {
  return {
    address: Number(prefix.address.value),
    prefixBits: prefix.prefixBits,
    text: formatIpPrefix(prefix),
  };
}

function whyNoHost4(prefix: IpPrefix): string | undefined {
  const { address: { value }, prefixBits } = prefix;
  const first = Number(value >> 24n);
  if (first === 0) return 'in 0.0.0.0/8 ("this network")';
  if (first === 127) return "a loopback address (127.0.0.0/8)";
  if (value === 0xffff_ffffn) return "the limited broadcast address";
  if (first >= 240) return "in the reserved block 240.0.0.0/4";
  if (first >= 224) return "a multicast address (224.0.0.0/4)";
  if (prefixBits > 30) return undefined;
  const host = hostPart(prefix);
  if (host === 0n) return `the network's own address of its /${prefixBits}`;
  return host + 1n === 1n << BigInt(32 - prefixBits)
    ? `the broadcast address of its /${prefixBits}`
    : undefined;
}

function whyNoHost6(prefix: IpPrefix): string | undefined {
  const { address: { value }, prefixBits } = prefix;
  if (value === 0n) return "the unspecified address (::)";
  if (value === 1n) return "the loopback address (::1)";
  if (value >> 120n === 0xffn) return "a multicast address (ff00::/8)";
  return prefixBits < 127 && hostPart(prefix) === 0n
    ? `the routers' anycast address of its /${prefixBits}`
    : undefined;
}

/**
 * Reads `02:53:0a:4d:00:02`: six bytes in hexadecimal with colons, a unicast
 * address (the lowest bit of the first byte is 0; IEEE 802, section 8.2).
 */
export function readMac(text: string): Uint8Array | AddressProblem {
  const mac = parseMac(text);
  if (mac === undefined) {
    return {
      problem: "expected an Ethernet address, such as 02:53:0a:4d:00:02",
    };
  }
  if ((mac[0]! & 1) === 1) {
    return {
      problem:
        "expected a unicast Ethernet address; this is a group address (its first byte is odd)",
    };
  }
  if (mac.every((byte) => byte === 0)) {
    return { problem: "expected a unicast Ethernet address; this is all zero" };
  }
  return mac;
}

/**
 * The Ethernet address for a system that names none: `02:53` and the four bytes
 * of its IPv4 address. The first byte marks it as locally administered, so it
 * meets no manufacturer's; two systems on one segment have different IPv4
 * addresses and so different Ethernet ones; a restart gets the same one, so
 * neighbours' caches stay right.
 */
export function macFor(address: number): Uint8Array {
  return Uint8Array.of(
    0x02,
    0x53,
    address >>> 24,
    (address >>> 16) & 0xff,
    (address >>> 8) & 0xff,
    address & 0xff,
  );
}
