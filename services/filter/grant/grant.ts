/**
 * Grants: what a capability stands for. A grant is a set of frames, written as
 * at most {@link CONJUNCTIONS_MAX} conjunctions over fixed fields. It is plain
 * data, so that it crosses a port as it is, and it is total: a field that is
 * not in the frame does not match.
 *
 * For these fields, and only these, one can decide whether two grants share a
 * frame (overlap.ts); that is what lets grants separate one service's traffic
 * from another's.
 */

/** The most conjunctions that a grant may have. */
export const CONJUNCTIONS_MAX = 64;

/** Any of these frames. */
export type Grant = readonly Conjunction[];

/**
 * All of these at once; what is absent is not asked.
 *
 * With a payload and no `vlan` it takes untagged frames only (the type is at
 * offset 12); priority_tagged.ts adds those with a tag of VLAN 0. With `vlan` it takes frames with an 802.1Q (0x8100) or 802.1ad
 * (0x88a8) tag, and the payload is what follows that one tag. With neither, it
 * takes tagged and untagged frames alike.
 */
export interface Conjunction {
  /** Ethernet destination address. */
  readonly etherDst?: MacPattern;
  /** Ethernet source address. */
  readonly etherSrc?: MacPattern;
  /** The VLAN's number, 0 to 4095, or any. */
  readonly vlan?: number | "any";
  /** What the frame carries. */
  readonly payload?: Payload;
}

/** What a frame carries. */
export type Payload = TypePayload | ArpPayload | IpPayload;

/** Anything of one Ethernet type. */
export interface TypePayload {
  /** Which payload this is. */
  readonly kind: "type";
  /** 0 to 65535, but neither of the VLAN tags' types in an untagged frame. */
  readonly etherType: number;
}

/** ARP (type 0x0806), with its IPv4 addresses where RFC 826 has them for Ethernet. */
export interface ArpPayload {
  /** Which payload this is. */
  readonly kind: "arp";
  /** 1 asks, 2 answers. */
  readonly operation?: number;
  /** Sender protocol address. */
  readonly sender?: Prefix;
  /** Target protocol address. */
  readonly target?: Prefix;
}

/**
 * IPv4 or IPv6 with a header that is whole (atom.ts, `HeaderAtom`). Ports need
 * a protocol that has them, an ICMP type needs ICMP of the same version, and
 * both need `fragment: "whole"`: only a whole datagram surely shows them.
 */
export interface IpPayload {
  /** Which payload this is: the IP version. */
  readonly kind: "ipv4" | "ipv6";
  /** Source address. */
  readonly src?: Prefix;
  /** Destination address. */
  readonly dst?: Prefix;
  /** Whole datagrams, fragments, or both. */
  readonly fragment: FragmentClass;
  /** IP protocol; for IPv6 what the extension headers end in. */
  readonly protocol?: number;
  /** Source port. */
  readonly srcPort?: PortRange;
  /** Destination port. */
  readonly dstPort?: PortRange;
  /** The first byte of an ICMP message. */
  readonly icmpType?: number;
}

/** An Ethernet address where `mask` has bits: `(address & mask) == address`. */
export interface MacPattern {
  /** 6 bytes. */
  readonly address: readonly number[];
  /** 6 bytes. */
  readonly mask: readonly number[];
}

/** An IP prefix; bits after `length` are 0. */
export interface Prefix {
  /** 4 bytes, or 16. */
  readonly address: readonly number[];
  /** Leading bits that count. */
  readonly length: number;
}

/** Ports from `low` to `high`, both included. */
export interface PortRange {
  /** 0 to 65535. */
  readonly low: number;
  /** `low` to 65535. */
  readonly high: number;
}

/** IP protocols that a grant knows by name. */
export const IP_PROTOCOL = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  dccp: 33,
  icmp6: 58,
  sctp: 132,
  udplite: 136,
} as const;

/** Protocols with a source and a destination port in their first 4 bytes. */
export const PROTOCOLS_WITH_PORTS: readonly number[] = [
  IP_PROTOCOL.tcp,
  IP_PROTOCOL.udp,
  IP_PROTOCOL.dccp,
  IP_PROTOCOL.sctp,
  IP_PROTOCOL.udplite,
];

/** A grant that says something impossible. The message names the field and what was expected. */
export class GrantError extends Error {
  /** For telling it apart where classes are lost. */
  override readonly name = "GrantError";
}

/** Which datagrams a filter takes. */
export type FragmentClass = "whole" | "fragment" | "any";
