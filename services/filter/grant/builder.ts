/**
 * Grants that read as what they mean: `ipv4().udp().dstPort(53).grant`. Every
 * step gives a new value; what cannot be asked together does not type-check.
 */

import { parseMacPattern, parsePrefix } from "./address.ts";
import {
  type ArpPayload,
  type Conjunction,
  type Grant,
  IP_PROTOCOL,
  type IpPayload,
} from "./grant.ts";
import { checkGrant } from "./check.ts";

/** Something that has a grant: each step of a chain. */
export interface HasGrant {
  /** The frames asked for so far. */
  readonly grant: Grant;
}

/** Frames of any kind. */
export function ethernet(): EthernetFrames {
  return new EthernetFrames({});
}

/** Frames with a VLAN tag: this VLAN's, or any. */
export function vlan(id: number | "any" = "any"): TaggedFrames {
  return ethernet().vlan(id);
}

/** ARP in untagged frames. */
export function arp(): ArpFrames {
  return ethernet().arp();
}

/** IPv4 in untagged frames, fragments included. */
export function ipv4(): IpFrames {
  return ethernet().ipv4();
}

/** IPv6 in untagged frames, fragments included. */
export function ipv6(): IpFrames {
  return ethernet().ipv6();
}

/**
 * The frames of any of these.
 *
 * @throws {GrantError} when there are more conjunctions than a grant may have.
 */
export function either(...parts: readonly (HasGrant | Grant)[]): Grant {
  return checkGrant(
    parts.flatMap((part) => "grant" in part ? part.grant : part),
  );
}

/** Frames that one conjunction describes. */
export abstract class Frames implements HasGrant {
  /** What was asked so far. */
  protected readonly conjunction: Conjunction;

  /** Begins with what is asked already. */
  constructor(conjunction: Conjunction) {
    this.conjunction = conjunction;
  }

  /**
   * The frames asked for so far.
   *
   * @throws {GrantError} when a number is out of its bounds.
   */
  get grant(): Grant {
    return checkGrant([this.conjunction]);
  }
}

/** Frames of which the payload is still open. */
export class TaggedFrames extends Frames {
  /** Frames of one Ethernet type. */
  etherType(etherType: number): HasGrant {
    return new OtherFrames({
      ...this.conjunction,
      payload: { kind: "type", etherType },
    });
  }

  /** ARP. */
  arp(): ArpFrames {
    return new ArpFrames(this.conjunction, { kind: "arp" });
  }

  /** IPv4, fragments included. */
  ipv4(): IpFrames {
    return new IpFrames(this.conjunction, { kind: "ipv4", fragment: "any" });
  }

  /** IPv6, fragments included. */
  ipv6(): IpFrames {
    return new IpFrames(this.conjunction, { kind: "ipv6", fragment: "any" });
  }
}

class OtherFrames extends Frames {}

/** Frames of which everything is still open. */
export class EthernetFrames extends TaggedFrames {
  /** To this Ethernet address, or to all that agree with it under `mask`. */
  dst(address: string, mask?: string): EthernetFrames {
    const etherDst = parseMacPattern(address, mask);
    return new EthernetFrames({ ...this.conjunction, etherDst });
  }

  /** From this Ethernet address, or from all that agree with it under `mask`. */
  src(address: string, mask?: string): EthernetFrames {
    const etherSrc = parseMacPattern(address, mask);
    return new EthernetFrames({ ...this.conjunction, etherSrc });
  }

  /** To a group address, the broadcast address included. */
  multicast(): EthernetFrames {
    return this.dst("01:00:00:00:00:00", "01:00:00:00:00:00");
  }

  /** With a VLAN tag: this VLAN's, or any. */
  vlan(id: number | "any" = "any"): TaggedFrames {
    return new TaggedFrames({ ...this.conjunction, vlan: id });
  }
}

/** ARP frames. */
export class ArpFrames extends Frames {
  readonly #outer: Conjunction;
  readonly #arp: ArpPayload;

  /** Begins with what is asked already. */
  constructor(outer: Conjunction, payload: ArpPayload) {
    super({ ...outer, payload });
    this.#outer = outer;
    this.#arp = payload;
  }

  /** Questions. */
  request(): ArpFrames {
    return this.operation(1);
  }

  /** Answers. */
  reply(): ArpFrames {
    return this.operation(2);
  }

  /** One operation, by its number. */
  operation(operation: number): ArpFrames {
    return new ArpFrames(this.#outer, { ...this.#arp, operation });
  }

  /** With this sender protocol address or prefix. */
  sender(prefix: string): ArpFrames {
    const sender = parsePrefix(prefix, "ipv4");
    return new ArpFrames(this.#outer, { ...this.#arp, sender });
  }

  /** With this target protocol address or prefix. */
  target(prefix: string): ArpFrames {
    const target = parsePrefix(prefix, "ipv4");
    return new ArpFrames(this.#outer, { ...this.#arp, target });
  }
}

/** IP datagrams of which addresses can be asked. */
export abstract class AddressedFrames<Self> extends Frames {
  /** What was asked of the frame around the datagram. */
  protected readonly outer: Conjunction;
  /** What was asked of the datagram. */
  protected readonly ip: IpPayload;

  /** Begins with what is asked already. */
  constructor(outer: Conjunction, ip: IpPayload) {
    super({ ...outer, payload: ip });
    this.outer = outer;
    this.ip = ip;
  }

  /** Adds to what is asked. */
  protected abstract with(more: Partial<IpPayload>): Self;

  /** From this address or prefix. */
  src(prefix: string): Self {
    return this.with({ src: parsePrefix(prefix, this.ip.kind) });
  }

  /** To this address or prefix. */
  dst(prefix: string): Self {
    return this.with({ dst: parsePrefix(prefix, this.ip.kind) });
  }
}

/** IP datagrams of which everything is still open. */
export class IpFrames extends AddressedFrames<IpFrames> {
  /** Adds to what is asked. */
  protected override with(more: Partial<IpPayload>): IpFrames {
    return new IpFrames(this.outer, { ...this.ip, ...more });
  }

  /** TCP. */
  tcp(): PortFrames {
    return this.#ports(IP_PROTOCOL.tcp);
  }

  /** UDP. */
  udp(): PortFrames {
    return this.#ports(IP_PROTOCOL.udp);
  }

  /** SCTP. */
  sctp(): PortFrames {
    return this.#ports(IP_PROTOCOL.sctp);
  }

  /** ICMP, of the datagram's version. */
  icmp(): IcmpFrames {
    const protocol = this.ip.kind === "ipv4"
      ? IP_PROTOCOL.icmp
      : IP_PROTOCOL.icmp6;
    return new IcmpFrames(this.outer, { ...this.ip, protocol });
  }

  /** One protocol, by its number. */
  protocol(protocol: number): DatagramFrames {
    return new DatagramFrames(this.outer, { ...this.ip, protocol });
  }

  /** Fragments only. */
  fragments(): DatagramFrames {
    return new DatagramFrames(this.outer, { ...this.ip, fragment: "fragment" });
  }

  /** No fragments. */
  whole(): DatagramFrames {
    return new DatagramFrames(this.outer, { ...this.ip, fragment: "whole" });
  }

  #ports(protocol: number): PortFrames {
    return new PortFrames(this.outer, { ...this.ip, protocol });
  }
}

/** IP datagrams of one protocol or fragment class. */
export class DatagramFrames extends AddressedFrames<DatagramFrames> {
  /** Adds to what is asked. */
  protected override with(more: Partial<IpPayload>): DatagramFrames {
    return new DatagramFrames(this.outer, { ...this.ip, ...more });
  }

  /** One protocol, by its number. */
  protocol(protocol: number): DatagramFrames {
    return this.with({ protocol });
  }
}

/** Datagrams with ports. Once a port is asked for, fragments are left out. */
export class PortFrames extends AddressedFrames<PortFrames> {
  /** Adds to what is asked. */
  protected override with(more: Partial<IpPayload>): PortFrames {
    return new PortFrames(this.outer, { ...this.ip, ...more });
  }

  /** From this port, or from `low` to `high`, both included. */
  srcPort(low: number, high: number = low): PortFrames {
    return this.with({ srcPort: { low, high }, fragment: "whole" });
  }

  /** To this port, or to `low` to `high`, both included. */
  dstPort(low: number, high: number = low): PortFrames {
    return this.with({ dstPort: { low, high }, fragment: "whole" });
  }
}

/** ICMP messages. Once a type is asked for, fragments are left out. */
export class IcmpFrames extends AddressedFrames<IcmpFrames> {
  /** Adds to what is asked. */
  protected override with(more: Partial<IpPayload>): IcmpFrames {
    return new IcmpFrames(this.outer, { ...this.ip, ...more });
  }

  /** Messages of one type, by its number. */
  type(icmpType: number): IcmpFrames {
    return this.with({ icmpType, fragment: "whole" });
  }
}
