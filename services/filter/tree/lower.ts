/**
 * From a conjunction to atoms, in one canonical order, so that grants that say
 * the same thing first share a way in the tree:
 *
 * ```
 * Ethernet addresses · VLAN tag · type · IP header · IP addresses · ports
 * ```
 */

import { given } from "../../../caps/kernel/given.ts";
import type { Atom, Field, Filter } from "./atom.ts";
import type {
  ArpPayload,
  Conjunction,
  Grant,
  IpPayload,
  MacPattern,
  Payload,
  PortRange,
  Prefix,
} from "../grant/grant.ts";
import { prefixMask } from "../grant/check.ts";
import { ETHERTYPE } from "../../wire/numbers.ts";

/** Where the type lies in an untagged frame, and in one with one tag. */
const TYPE_OFFSET = 12;
const VLAN_TAG_BYTES = 4;

/** The conjunctions of a grant as filters, in order, each filter once. */
export function lowerGrant(grant: Grant): Filter[] {
  const filters = grant.flatMap(lowerConjunction);
  if (filters.length === 1) return filters;
  const once = new Map<string, Filter>();
  for (const filter of filters) {
    const text = JSON.stringify(filter);
    if (!once.has(text)) once.set(text, filter);
  }
  return [...once.values()];
}

/** The filters of one conjunction: two where either kind of VLAN tag will do. */
export function lowerConjunction(conjunction: Conjunction): Filter[] {
  const { etherDst, etherSrc, vlan, payload } = conjunction;
  const addresses = [...lowerMac(etherDst, 0), ...lowerMac(etherSrc, 6)];
  if (vlan === undefined) {
    return [[...addresses, ...lowerPayload(payload, TYPE_OFFSET)]];
  }
  const tag = {
    from: "frame",
    offset: TYPE_OFFSET + 2,
    width: 2,
    mask: vlan === "any" ? 0 : 0x0fff,
  } as const;
  return [ETHERTYPE.vlan, ETHERTYPE.providerVlan].map((type) => [
    ...addresses,
    match16(TYPE_OFFSET, type),
    { op: "match", ...tag, value: vlan === "any" ? 0 : vlan },
    ...lowerPayload(payload, TYPE_OFFSET + VLAN_TAG_BYTES),
  ]);
}

/**
 * 4 bytes and 2. The last atom stays even with an empty mask: it asks that the
 * whole address be there.
 */
function lowerMac(mac: MacPattern | undefined, offset: number): Atom[] {
  if (mac === undefined) return [];
  const { address, mask } = mac;
  const low: Field = {
    from: "frame",
    offset: offset + 4,
    width: 2,
    mask: number(mask, 4, 2),
  };
  const last: Atom = { op: "match", ...low, value: number(address, 4, 2) };
  const high = number(mask, 0, 4);
  if (high === 0) return [last];
  return [{
    op: "match",
    from: "frame",
    offset,
    width: 4,
    mask: high,
    value: number(address, 0, 4),
  }, last];
}

function lowerPayload(payload: Payload | undefined, typeAt: number): Atom[] {
  if (payload === undefined) return [];
  switch (payload.kind) {
    case "type":
      return [match16(typeAt, payload.etherType)];
    case "arp":
      return lowerArp(payload, typeAt);
    default:
      return lowerIp(payload, typeAt);
  }
}

/**
 * RFC 826 for Ethernet and IPv4:
 *
 * ```
 * 0       2       4   5   6       8              14      18             24      28
 * ├ htype ┼ ptype ┼ 6 ┼ 4 ┼ oper  ┼ sender MAC   ┼ sender ┼ target MAC  ┼ target ┤
 * ```
 */
function lowerArp(arp: ArpPayload, typeAt: number): Atom[] {
  const start = typeAt + 2;
  const atoms = [match16(typeAt, ETHERTYPE.arp)];
  if (arp.operation !== undefined) {
    atoms.push(match16(start + 6, arp.operation));
  }
  if (arp.target !== undefined) atoms.push(word(arp.target, 0, start + 24));
  if (arp.sender !== undefined) atoms.push(word(arp.sender, 0, start + 14));
  return atoms;
}

function lowerIp(ip: IpPayload, typeAt: number): Atom[] {
  const start = typeAt + 2;
  const v4 = ip.kind === "ipv4";
  const atoms: Atom[] = [
    match16(typeAt, v4 ? ETHERTYPE.ipv4 : ETHERTYPE.ipv6),
    {
      op: ip.kind,
      offset: start,
      ...given({ protocol: ip.protocol }),
      fragment: ip.fragment,
    },
    ...lowerPrefix(ip.dst, start + (v4 ? 16 : 24)),
    ...lowerPrefix(ip.src, start + (v4 ? 12 : 8)),
  ];
  if (ip.dstPort !== undefined) atoms.push(port(ip.dstPort, 2));
  if (ip.srcPort !== undefined) atoms.push(port(ip.srcPort, 0));
  if (ip.icmpType !== undefined) {
    const type = { from: "base", offset: 0, width: 1, mask: 0xff } as const;
    atoms.push({ op: "match", ...type, value: ip.icmpType });
  }
  return atoms;
}

/** The words of an address that a prefix reaches; the header atom saw to its being there. */
function lowerPrefix(prefix: Prefix | undefined, offset: number): Atom[] {
  if (prefix === undefined) return [];
  const words = Math.ceil(prefix.length / 32);
  return Array.from(
    { length: words },
    (_, index) => word(prefix, index * 4, offset + index * 4),
  );
}

function word(prefix: Prefix, index: number, offset: number): Atom {
  const mask = [0, 1, 2, 3].map((at) => prefixMask(prefix.length, index + at));
  return {
    op: "match",
    from: "frame",
    offset,
    width: 4,
    mask: number(mask, 0, 4),
    value: number(prefix.address, index, 4),
  };
}

function port(range: PortRange, offset: number): Atom {
  const field = { from: "base", offset, width: 2, mask: 0xffff } as const;
  return range.low === range.high
    ? { op: "match", ...field, value: range.low }
    : { op: "range", ...field, low: range.low, high: range.high };
}

function match16(offset: number, value: number): Atom {
  return { op: "match", from: "frame", offset, width: 2, mask: 0xffff, value };
}

/** `count` bytes from `index` as a big-endian unsigned number. */
function number(
  bytes: readonly number[],
  index: number,
  count: number,
): number {
  let sum = 0;
  for (let at = 0; at < count; at++) sum = sum * 256 + bytes[index + at]!;
  return sum;
}
