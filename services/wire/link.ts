/**
 * What captured packets begin with, by link type (tcpdump.org/linktypes.html),
 * and one line about each, in tcpdump's manner.
 *
 * ```
 * ethernet  6 destination │ 6 source │ tags │ u16 type
 * raw       nothing: IPv4 or IPv6
 * null      u32 address family, in the capturing host's byte order
 * loop      u32 address family, big-endian
 * sll       u16 way │ u16 │ u16 │ 8 address │ u16 type
 * sll2      u16 type │ u16 │ u32 interface │ u16 │ u8 way │ u8 │ 8 address
 * ```
 */

import type { LinkType } from "./link_type.ts";
import { getU16, getU32 } from "./big_endian.ts";
import { describeFrame } from "./describe.ts";
import { type DescribeOptions, describePayload } from "./describe_payload.ts";
import { isTagProtocol, LENGTH_MAX } from "./ethernet.ts";
import { ETHERTYPE } from "./numbers.ts";

/** LINKTYPE_… (and DLT_RAW, which older files have) of the links that are known here. */
const LINKS: Readonly<Record<number, LinkType>> = {
  0: "null",
  1: "ethernet",
  12: "raw",
  101: "raw",
  108: "loop",
  113: "sll",
  276: "sll2",
};

/** The link of a LINKTYPE_… number; undefined when it is not known here. */
export function linkOf(linkType: number): LinkType | undefined {
  return LINKS[linkType];
}

/** Bytes before the payload; of Ethernet those without tags. */
const HEADER_BYTES: Readonly<Record<LinkType, number>> = {
  ethernet: 14,
  raw: 0,
  null: 4,
  loop: 4,
  sll: 16,
  sll2: 20,
};

/**
 * What the packet `bytes[start..end)` of a link is, in one line without line
 * break. Never throws: what cannot be read is said to be so. Interfaces are
 * shown by their index: what they are called is not in the capture.
 */
export function describeLinked(
  link: LinkType,
  bytes: Uint8Array,
  start: number,
  end: number,
  options: DescribeOptions = {},
): string {
  if (link === "ethernet") return describeFrame(bytes, start, end, options);
  const at = start + HEADER_BYTES[link];
  if (at > end || at === end && link === "raw") {
    return `[|${link}] ${end - start} bytes`;
  }
  const { etherType, before, unknown } = headerOf(link, bytes, start);
  const length = `length ${end - at}`;
  const payload = describePayload(etherType, bytes, at, end, options) ??
    `${unknown}, ${length}`;
  return before + payload;
}

interface Header {
  /** What the payload is; 0 where no type says so. */
  readonly etherType: number;
  /** What is said before the payload. */
  readonly before: string;
  /** What is said of a payload that is not known. */
  readonly unknown: string;
}

function headerOf(
  link: Exclude<LinkType, "ethernet">,
  bytes: Uint8Array,
  start: number,
): Header {
  switch (link) {
    case "raw": {
      const version = bytes[start]! >>> 4;
      const etherType = version === 4
        ? ETHERTYPE.ipv4
        : version === 6
        ? ETHERTYPE.ipv6
        : 0;
      return { etherType, before: "", unknown: `unknown ip ${version}` };
    }
    case "null":
    case "loop":
      return familyHeader(getU32(bytes, start));
    case "sll":
      return typeHeader(getU16(bytes, start + 14), "");
    case "sll2": {
      const name = `if${getU32(bytes, start + 4)}`.padEnd(5);
      const way = (WAYS[bytes[start + 10]!] ?? "?").padEnd(3);
      return typeHeader(getU16(bytes, start), `${name} ${way} `);
    }
  }
}

/** Which way a packet went: PACKET_… of linux/if_packet.h, in tcpdump's words. */
const WAYS: readonly string[] = ["In", "B", "M", "P", "Out"];

function typeHeader(etherType: number, before: string): Header {
  const type = etherType.toString(16).padStart(4, "0");
  return { etherType, before, unknown: `ethertype 0x${type}` };
}

const AF_INET = 2;
/** AF_INET6 of Linux, of NetBSD and OpenBSD, of FreeBSD, and of macOS. */
const AF_INET6: readonly number[] = [10, 24, 28, 30];

/** Families are small: one with high bits set is in the other byte order. */
function familyHeader(stored: number): Header {
  const family = stored > 0xffff
    ? ((stored & 0xff) << 24 | (stored & 0xff00) << 8 |
      (stored >>> 8 & 0xff00) | stored >>> 24) >>> 0
    : stored;
  const etherType = family === AF_INET
    ? ETHERTYPE.ipv4
    : AF_INET6.includes(family)
    ? ETHERTYPE.ipv6
    : 0;
  return { etherType, before: "", unknown: `unknown AF ${family}` };
}

/**
 * Bytes of the packet `bytes[start..end)` that are the link's: before the
 * packet that it carries, behind VLAN tags and an IEEE 802.2 header.
 */
export function linkHeaderBytes(
  link: LinkType,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const least = HEADER_BYTES[link];
  if (start + least > end) return end - start;
  if (link !== "ethernet") return least;
  let at = start + least;
  let type = getU16(bytes, at - 2);
  for (; isTagProtocol(type) && at + 4 <= end; at += 4) {
    type = getU16(bytes, at + 2);
  }
  if (type > LENGTH_MAX) return at - start;
  return at - start + llcBytes(bytes, at, Math.min(end, at + type));
}

/** DSAP and SSAP of SNAP, and its control byte, unnumbered information. */
const SNAP = [0xaa, 0xaa, 0x03];

function llcBytes(bytes: Uint8Array, at: number, end: number): number {
  if (at + 3 > end) return end - at;
  if (bytes[at] === 0xff && bytes[at + 1] === 0xff) return 0; // IPX, without one
  const unnumbered = (bytes[at + 2]! & 3) === 3;
  if (!unnumbered) return Math.min(4, end - at);
  const snap = SNAP.every((byte, index) => bytes[at + index] === byte);
  return snap ? Math.min(8, end - at) : 3;
}
