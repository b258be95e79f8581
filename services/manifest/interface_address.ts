/** The addresses that a system answers on: IPv4 with its prefix, and Ethernet. */

import { parseIpv4Prefix, parseMac } from "../wire/address.ts";

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

/**
 * Reads `10.77.0.2/24`: dotted decimal without leading zeros, and a prefix of
 * 1 to 32 bits. Refused are addresses that no host can have: RFC 1122, section
 * 3.2.1.3; RFC 5771 (multicast); RFC 1112, section 4 (240.0.0.0/4). A prefix of
 * 31 bits has neither a network nor a broadcast address (RFC 3021).
 */
export function readInterfaceAddress(
  text: string,
): InterfaceAddress | AddressProblem {
  const prefix = parseIpv4Prefix(text);
  if (prefix === undefined || prefix.prefixBits === 0) {
    return {
      problem: "expected an IPv4 address with a prefix, such as 10.77.0.2/24",
    };
  }
  const { address, prefixBits } = prefix;
  const reason = whyNoHost(address, prefixBits);
  return reason === undefined
    ? { address, prefixBits, text }
    : { problem: `expected a host's IPv4 address; this is ${reason}` };
}

function whyNoHost(address: number, prefixBits: number): string | undefined {
  const first = address >>> 24;
  if (first === 0) return 'in 0.0.0.0/8 ("this network")';
  if (first === 127) return "a loopback address (127.0.0.0/8)";
  if (address === 0xffffffff) return "the limited broadcast address";
  if (first >= 240) return "in the reserved block 240.0.0.0/4";
  if (first >= 224) return "a multicast address (224.0.0.0/4)";
  if (prefixBits > 30) return undefined;
  const hostMask = 0xffffffff >>> prefixBits;
  const host = (address & hostMask) >>> 0;
  if (host === 0) return `the network's own address of its /${prefixBits}`;
  if (host === hostMask) return `the broadcast address of its /${prefixBits}`;
  return undefined;
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
