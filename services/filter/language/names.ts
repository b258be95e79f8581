/**
 * Names of protocols and ports.
 *
 * libpcap asks the C library, so its answers depend on the machine's
 * /etc/services and /etc/protocols; Sallyport ships a table of its own, the
 * same on every machine: what Debian 12's netbase 6.4 lists. Names of hosts
 * and networks are never looked up.
 */

import { ETHERTYPE } from "../../wire/numbers.ts";
import type { ProtocolName } from "./keywords.ts";
import { IP_PROTOCOLS, PORTS, TCP_PORTS, UDP_PORTS } from "./name_tables.ts";

const BOTH = table(PORTS);
const TCP = table(TCP_PORTS);
const UDP = table(UDP_PORTS);
const PROTOCOLS = table(IP_PROTOCOLS);

/** EtherTypes that libpcap knows by name (`ether proto \ip`). */
export const ETHER_PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["aarp", ETHERTYPE.aarp],
  ["arp", ETHERTYPE.arp],
  ["atalk", ETHERTYPE.atalk],
  ["decnet", ETHERTYPE.decnet],
  ["ip", ETHERTYPE.ipv4],
  ["ip6", ETHERTYPE.ipv6],
  ["lat", ETHERTYPE.lat],
  ["loopback", ETHERTYPE.loopback],
  ["mopdl", ETHERTYPE.mopdl],
  ["moprc", ETHERTYPE.moprc],
  ["rarp", ETHERTYPE.rarp],
  ["sca", ETHERTYPE.sca],
  // Not EtherTypes but service access points of IEEE 802.2.
  ["iso", 0xfe],
  ["stp", 0x42],
  ["ipx", 0xe0],
  ["netbeui", 0xf0],
]);

/** Protocols of OSI by name (`iso proto \isis`). */
const ISO_PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["clnp", 0x81],
  ["esis", 0x82],
  ["isis", 0x83],
]);

/** What a port's name stands for. */
export interface NamedPort {
  /** Number of the port. */
  readonly port: number;
  /** The one protocol that it is a name in; undefined for TCP and UDP. */
  readonly protocol: "tcp" | "udp" | undefined;
}

/** A port by its name, or undefined. A name with two ports is TCP's. */
export function portOf(name: string): NamedPort | undefined {
  const both = BOTH.get(name);
  if (both !== undefined) return { port: both, protocol: undefined };
  const tcp = TCP.get(name);
  if (tcp !== undefined) return { port: tcp, protocol: "tcp" };
  const udp = UDP.get(name);
  return udp === undefined ? undefined : { port: udp, protocol: "udp" };
}

/** A protocol above IP by its name, such as `ospf`. */
export function ipProtocolOf(name: string): number | undefined {
  return PROTOCOLS.get(name);
}

/** An EtherType, or the access point of an 802.2 protocol, by its name. */
export function etherProtocolOf(name: string): number | undefined {
  return ETHER_PROTOCOLS.get(name);
}

/** A protocol of OSI by its name. */
export function isoProtocolOf(name: string): number | undefined {
  return ISO_PROTOCOLS.get(name);
}

function table(text: string): ReadonlyMap<string, number> {
  const entries = text.trim().split(/\s+/).map((entry): [string, number] => {
    const at = entry.lastIndexOf("=");
    return [entry.slice(0, at), Number(entry.slice(at + 1))];
  });
  return new Map(entries);
}

/** Protocols above IP by name: their number, and under which IP they are. */
export const ABOVE_IP: Readonly<
  Partial<Record<ProtocolName, readonly [number, "ip" | "ip6" | undefined]>>
> = {
  icmp: [1, "ip"],
  igmp: [2, "ip"],
  tcp: [6, undefined],
  igrp: [9, "ip"],
  udp: [17, undefined],
  esp: [50, undefined],
  ah: [51, undefined],
  icmp6: [58, "ip6"],
  pim: [103, undefined],
  vrrp: [112, "ip"],
  carp: [112, "ip"],
  sctp: [132, undefined],
};
