/** The frames that a peer sends, and what it recognizes its own by. */

import type { Frame, Outbox } from "../core/core.ts";
import { IPV4_TTL } from "../ip/ipv4_endpoint.ts";
import type { Random } from "../runtime/random.ts";
import { OUTSTANDING_MAX } from "./exchange.ts";
import { ARP_BYTES, ARP_REQUEST, emitArp } from "../wire/arp.ts";
import { pseudoHeaderSum } from "../wire/checksum.ts";
import { emitEthernet, ETHERNET_BYTES } from "../wire/ethernet.ts";
import {
  checkIcmp,
  emitIcmp,
  ICMP_BYTES,
  ICMP_ECHO_REPLY,
  icmpIdentifier,
  icmpSequence,
  icmpType,
} from "../wire/icmp.ts";
import {
  emitIpv4,
  IPV4_BYTES,
  PROTOCOL_ICMP,
  PROTOCOL_UDP,
} from "../wire/ipv4.ts";
import {
  checkUdp,
  emitUdp,
  UDP_BYTES,
  udpDestinationPort,
  udpLength,
  udpSourcePort,
} from "../wire/udp.ts";
import { ETHERTYPE } from "../wire/numbers.ts";

/** Who sends to whom. */
export interface PeerAddresses {
  /** The sender's hardware address: six bytes. */
  readonly mac: Uint8Array;
  /** The sender's IPv4 address. */
  readonly address: number;
  /** The receiver's IPv4 address. */
  readonly target: number;
  /** The receiver's port; 7 by default. */
  readonly udpPort?: number;
  /** Seed of the contents; the low 16 bits are the pings' identifier. */
  readonly seed: number;
}

/**
 * Source ports start here, the first of the dynamic ones (RFC 6335); one further
 * for each sequence number, of which there are as many as ports.
 */
const SOURCE_PORT_FIRST = 65536 - OUTSTANDING_MAX;
const NO_OPTIONS = new Uint8Array(0);
const BROADCAST = new Uint8Array(6).fill(0xff);
const HEADERS_BYTES = ETHERNET_BYTES + IPV4_BYTES;
const NOISE_PAYLOAD_MAX = 128;
/** A type that the IEEE keeps for experiments (IEEE 802, clause 9.2.3). */
const ETHERTYPE_EXPERIMENTAL = 0x88b5;
const IPV6_BYTES = 40;

/** Writes frames into an outbox. Every method returns whether there was room. */
export class PeerFrames {
  readonly #addresses: PeerAddresses;
  readonly #udpPort: number;
  readonly #identifier: number;
  readonly #toTarget: number;
  readonly #fromTarget: number;

  /** Frames between `addresses`. */
  constructor(addresses: PeerAddresses) {
    const { address, target, udpPort = 7, seed } = addresses;
    this.#addresses = addresses;
    this.#udpPort = udpPort;
    this.#identifier = seed & 0xffff;
    this.#toTarget = pseudoHeaderSum(address, target, PROTOCOL_UDP);
    this.#fromTarget = pseudoHeaderSum(target, address, PROTOCOL_UDP);
  }

  /** Asks everybody for the target's hardware address. */
  request(out: Outbox): boolean {
    const frame = out.open(ETHERNET_BYTES + ARP_BYTES);
    if (frame === undefined) return false;
    const { mac, address, target } = this.#addresses;
    const at = frame.start + this.#ethernet(frame, BROADCAST, ETHERTYPE.arp);
    emitArp(
      {
        operation: ARP_REQUEST,
        senderMac: mac,
        senderAddress: address,
        targetMac: new Uint8Array(6),
        targetAddress: target,
      },
      frame.bytes,
      at,
    );
    frame.length = ETHERNET_BYTES + ARP_BYTES;
    out.send();
    return true;
  }

  /** An echo request. */
  ping(
    targetMac: Uint8Array,
    sequence: number,
    payload: Uint8Array,
    out: Outbox,
  ): boolean {
    const size = ICMP_BYTES + payload.length;
    const frame = this.#openIpv4(targetMac, PROTOCOL_ICMP, size, out);
    if (frame === undefined) return false;
    emitIcmp(
      {
        kind: "echo-request",
        identifier: this.#identifier,
        sequence,
        payload,
      },
      frame.bytes,
      frame.start + HEADERS_BYTES,
    );
    out.send();
    return true;
  }

  /** The sequence number of the echo reply in `bytes[at..end)`; -1 when it is none to us. */
  pingOf(bytes: Uint8Array, at: number, end: number): number {
    return checkIcmp(bytes, at, end) === undefined &&
        icmpType(bytes, at) === ICMP_ECHO_REPLY &&
        icmpIdentifier(bytes, at) === this.#identifier
      ? icmpSequence(bytes, at)
      : -1;
  }

  /** A datagram to the echo port; every fourth carries no checksum. */
  datagram(
    targetMac: Uint8Array,
    sequence: number,
    payload: Uint8Array,
    out: Outbox,
  ): boolean {
    const checksummed = (sequence & 3) !== 3;
    const sourcePort = SOURCE_PORT_FIRST + sequence;
    const destinationPort = this.#udpPort;
    return this.#udp(
      targetMac,
      { sourcePort, destinationPort, checksummed, payload },
      out,
    );
  }

  /** The sequence number of the echoed datagram in `bytes[at..end)`; -1 when it is none to us. */
  datagramOf(bytes: Uint8Array, at: number, end: number): number {
    if (
      checkUdp(bytes, at, end, this.#fromTarget) !== undefined ||
      udpSourcePort(bytes, at) !== this.#udpPort ||
      at + udpLength(bytes, at) !== end
    ) return -1;
    return udpDestinationPort(bytes, at) - SOURCE_PORT_FIRST;
  }

  /** An unclaimed frame: another port, IPv6, an unknown type, or a header cut short. */
  noise(targetMac: Uint8Array, random: Random, out: Outbox): boolean {
    const kind = random.below(4);
    if (kind === 0) return this.#otherPort(targetMac, random, out);
    const size = kind === 1
      ? IPV6_BYTES + random.below(NOISE_PAYLOAD_MAX)
      : kind === 2
      ? random.below(NOISE_PAYLOAD_MAX)
      : random.below(IPV4_BYTES);
    const type = kind === 1
      ? ETHERTYPE.ipv6
      : kind === 2
      ? ETHERTYPE_EXPERIMENTAL
      : ETHERTYPE.ipv4;
    const frame = out.open(ETHERNET_BYTES + size);
    if (frame === undefined) return false;
    const { bytes, start } = frame;
    const at = start + this.#ethernet(frame, targetMac, type);
    random.fill(bytes, at, at + size);
    if (kind === 1) bytes[at] = 0x60;
    if (kind === 3 && size > 0) bytes[at] = 0x45;
    frame.length = ETHERNET_BYTES + size;
    out.send();
    return true;
  }

  #otherPort(targetMac: Uint8Array, random: Random, out: Outbox): boolean {
    const port = random.between(1024, 65534);
    const payload = new Uint8Array(random.below(NOISE_PAYLOAD_MAX));
    random.fill(payload, 0, payload.length);
    const destinationPort = port === this.#udpPort ? 65535 : port;
    const sourcePort = random.between(1024, SOURCE_PORT_FIRST - 1);
    return this.#udp(
      targetMac,
      { sourcePort, destinationPort, checksummed: true, payload },
      out,
    );
  }

  #udp(
    targetMac: Uint8Array,
    udp: Parameters<typeof emitUdp>[0],
    out: Outbox,
  ): boolean {
    const size = UDP_BYTES + udp.payload.length;
    const frame = this.#openIpv4(targetMac, PROTOCOL_UDP, size, out);
    if (frame === undefined) return false;
    const at = frame.start + HEADERS_BYTES;
    emitUdp(udp, frame.bytes, at, this.#toTarget);
    out.send();
    return true;
  }

  /** A frame with both headers in it, its length set; undefined without room. */
  #openIpv4(
    targetMac: Uint8Array,
    protocol: number,
    payloadBytes: number,
    out: Outbox,
  ): Frame | undefined {
    const frame = out.open(HEADERS_BYTES + payloadBytes);
    if (frame === undefined) return undefined;
    const at = frame.start + this.#ethernet(frame, targetMac, ETHERTYPE.ipv4);
    emitIpv4(
      {
        dscp: 0,
        ecn: 0,
        identification: 0,
        dontFragment: true,
        moreFragments: false,
        fragmentOffset: 0,
        ttl: IPV4_TTL,
        protocol,
        source: this.#addresses.address,
        destination: this.#addresses.target,
        options: NO_OPTIONS,
        payloadBytes,
      },
      frame.bytes,
      at,
    );
    frame.length = HEADERS_BYTES + payloadBytes;
    return frame;
  }

  #ethernet(frame: Frame, destination: Uint8Array, etherType: number): number {
    const header = {
      destination,
      source: this.#addresses.mac,
      tags: [],
      etherType,
    };
    return emitEthernet(header, frame.bytes, frame.start);
  }
}
