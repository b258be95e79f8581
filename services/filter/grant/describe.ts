/** A grant in the words of pcap-filter(7), for people to read. */

import { describeMac, describePrefix } from "./address.ts";
import {
  type ArpPayload,
  type Conjunction,
  type Grant,
  IP_PROTOCOL,
  type IpPayload,
  type MacPattern,
  type Payload,
  type PortRange,
} from "./grant.ts";

/**
 * `udp dst port 53 and dst host 10.77.0.2`; several conjunctions are joined
 * with `or`; the grant of everything is `every frame`, that of nothing `no frame`.
 */
export function describeGrant(grant: Grant): string {
  if (grant.length === 0) return "no frame";
  const parts = grant.map((conjunction) => describe(conjunction));
  if (parts.some((words) => words.length === 0)) return "every frame";
  if (parts.length === 1) return parts[0]!.join(" and ");
  return parts.map((words) =>
    words.length === 1 ? words[0]! : `(${words.join(" and ")})`
  ).join(" or ");
}

/** A capability's grant, and its filter text on one line where it has some. */
export function describeCapability(
  { grant, residual }: { readonly grant: Grant; readonly residual?: string },
): string {
  const words = describeGrant(grant);
  if (residual === undefined) return words;
  const line = residual.trim().replace(/\s+/g, " ");
  return `${words}; of those: ${
    line.length > TEXT_SHOWN_MAX ? `${line.slice(0, TEXT_SHOWN_MAX)}…` : line
  }`;
}

/** How much of a filter text is shown. */
const TEXT_SHOWN_MAX = 200;

function describe(conjunction: Conjunction): string[] {
  const { etherDst, etherSrc, vlan, payload } = conjunction;
  return [
    ...describeEther(etherDst, "dst", 0),
    ...describeEther(etherSrc, "src", 6),
    ...(vlan === undefined ? [] : [vlan === "any" ? "vlan" : `vlan ${vlan}`]),
    ...(payload === undefined ? [] : describePayload(payload)),
  ];
}

function describeEther(
  mac: MacPattern | undefined,
  side: "dst" | "src",
  offset: number,
): string[] {
  if (mac === undefined) return [];
  const { address, mask } = mac;
  if (mask.every((byte) => byte === 255)) {
    return [`ether ${side} ${describeMac(address)}`];
  }
  const group = "01:00:00:00:00:00";
  if (
    side === "dst" && describeMac(mask) === group &&
    describeMac(address) === group
  ) {
    return ["ether multicast"];
  }
  const hex = (byte: number) => `0x${byte.toString(16).padStart(2, "0")}`;
  const bytes = mask.flatMap((byte, index) =>
    byte === 0
      ? []
      : [`ether[${offset + index}] & ${hex(byte)} = ${hex(address[index]!)}`]
  );
  return bytes.length > 0 ? bytes : [`len >= ${offset + 6}`];
}

function describePayload(payload: Payload): string[] {
  switch (payload.kind) {
    case "type":
      return [`ether proto 0x${payload.etherType.toString(16)}`];
    case "arp":
      return describeArp(payload);
    default:
      return describeIp(payload);
  }
}

function describeArp(arp: ArpPayload): string[] {
  const words: string[] = [];
  if (arp.operation !== undefined) words.push(`arp[6:2] = ${arp.operation}`);
  if (arp.target !== undefined) {
    words.push(`arp dst ${describePrefix(arp.target)}`);
  }
  if (arp.sender !== undefined) {
    words.push(`arp src ${describePrefix(arp.sender)}`);
  }
  return words.length > 0 ? words : ["arp"];
}

const PROTOCOL_NAMES: Readonly<Record<number, string>> = {
  [IP_PROTOCOL.icmp]: "icmp",
  [IP_PROTOCOL.tcp]: "tcp",
  [IP_PROTOCOL.udp]: "udp",
  [IP_PROTOCOL.icmp6]: "icmp6",
  [IP_PROTOCOL.sctp]: "sctp",
};

function describeIp(ip: IpPayload): string[] {
  const v4 = ip.kind === "ipv4";
  const version = v4 ? "ip" : "ip6";
  const words: string[] = [];
  const { protocol } = ip;
  const name = protocol === undefined ? undefined : PROTOCOL_NAMES[protocol];
  const ports = [
    ...describePort(ip.dstPort, "dst"),
    ...describePort(ip.srcPort, "src"),
  ];
  if (ip.icmpType !== undefined) words.push(`${name}[0] = ${ip.icmpType}`);
  else if (ports.length > 0 && name !== undefined) {
    words.push(...ports.map((port) => `${name} ${port}`));
  } else if (protocol !== undefined) {
    words.push(name ?? `${version} proto ${protocol}`, ...ports);
  }
  if (ip.dst !== undefined) words.push(`dst ${describePrefix(ip.dst)}`);
  if (ip.src !== undefined) words.push(`src ${describePrefix(ip.src)}`);
  const asksPayload = ports.length > 0 || ip.icmpType !== undefined;
  if (ip.fragment === "fragment") {
    words.push(v4 ? "ip[6:2] & 0x3fff != 0" : "ip6 protochain 44");
  } else if (ip.fragment === "whole" && !asksPayload) {
    words.push(v4 ? "ip[6:2] & 0x3fff = 0" : "not ip6 protochain 44");
  }
  const saysVersion = ip.dst !== undefined || ip.src !== undefined ||
    name === "icmp" || name === "icmp6" ||
    words.some((word) => word.includes(version));
  return saysVersion ? words : [version, ...words];
}

function describePort(
  range: PortRange | undefined,
  side: "dst" | "src",
): string[] {
  if (range === undefined) return [];
  return [
    range.low === range.high
      ? `${side} port ${range.low}`
      : `${side} portrange ${range.low}-${range.high}`,
  ];
}
