/** A frame of any conjunction: the proof that it is not empty. */

import type {
  ArpPayload,
  Conjunction,
  IpPayload,
  MacPattern,
  Payload,
  Prefix,
} from "../../services/filter/grant/grant.ts";
import { ETHERTYPE, IPV6_EXTENSION } from "../../services/wire/numbers.ts";

/** An IP protocol that nothing else claims (RFC 3692: for experiments). */
const ANY_PROTOCOL = 253;
const ADDRESS_BYTES = { ipv4: 4, ipv6: 16 } as const;

/**
 * The least frame that `conjunction` matches, with 0 wherever nothing is asked.
 * It has no meaning beyond that: checksums and lengths are 0.
 */
export function witness(conjunction: Conjunction): Uint8Array<ArrayBuffer> {
  const { etherDst, etherSrc, vlan, payload } = conjunction;
  const bytes: number[] = [];
  const asksMore = vlan !== undefined || payload !== undefined;
  if (asksMore || etherDst !== undefined || etherSrc !== undefined) {
    bytes.push(...macBytes(etherDst));
  }
  if (asksMore || etherSrc !== undefined) bytes.push(...macBytes(etherSrc));
  if (vlan !== undefined) {
    bytes.push(...u16(ETHERTYPE.vlan), ...u16(vlan === "any" ? 1 : vlan));
  }
  if (payload !== undefined) bytes.push(...payloadBytes(payload));
  return Uint8Array.from(bytes);
}

function macBytes(mac: MacPattern | undefined): readonly number[] {
  return mac?.address ?? zeros(6);
}

function payloadBytes(payload: Payload): number[] {
  switch (payload.kind) {
    case "type":
      return u16(payload.etherType);
    case "arp":
      return [...u16(ETHERTYPE.arp), ...arpBytes(payload)];
    case "ipv4":
      return [...u16(ETHERTYPE.ipv4), ...ipv4Bytes(payload)];
    case "ipv6":
      return [...u16(ETHERTYPE.ipv6), ...ipv6Bytes(payload)];
  }
}

function arpBytes(arp: ArpPayload): number[] {
  return [
    ...u16(1),
    ...u16(ETHERTYPE.ipv4),
    6,
    4,
    ...u16(arp.operation ?? 1),
    ...zeros(6),
    ...(arp.sender?.address ?? zeros(4)),
    ...zeros(6),
    ...(arp.target?.address ?? zeros(4)),
  ];
}

function ipv4Bytes(ip: IpPayload): number[] {
  const moreFragments = ip.fragment === "fragment" ? 0x2000 : 0;
  return [
    0x45,
    ...zeros(5),
    ...u16(moreFragments),
    64,
    ip.protocol ?? ANY_PROTOCOL,
    ...zeros(2),
    ...addressBytes(ip, ip.src),
    ...addressBytes(ip, ip.dst),
    ...transportBytes(ip),
  ];
}

function ipv6Bytes(ip: IpPayload): number[] {
  const protocol = ip.protocol ?? ANY_PROTOCOL;
  const isFragment = ip.fragment === "fragment";
  return [
    0x60,
    ...zeros(5),
    isFragment ? IPV6_EXTENSION.fragment : protocol,
    64,
    ...addressBytes(ip, ip.src),
    ...addressBytes(ip, ip.dst),
    ...(isFragment ? [protocol, ...zeros(7)] : []),
    ...transportBytes(ip),
  ];
}

function addressBytes(ip: IpPayload, prefix?: Prefix): readonly number[] {
  return prefix?.address ?? zeros(ADDRESS_BYTES[ip.kind]);
}

function transportBytes(ip: IpPayload): number[] {
  if (ip.icmpType !== undefined) return [ip.icmpType];
  if (ip.srcPort === undefined && ip.dstPort === undefined) return [];
  return [...u16(ip.srcPort?.low ?? 0), ...u16(ip.dstPort?.low ?? 0)];
}

function u16(value: number): number[] {
  return [value >> 8, value & 255];
}

function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}
