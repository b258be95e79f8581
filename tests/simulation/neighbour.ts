/** Somebody on the wire who asks a host: the frames that {@link World.send} takes. */

import { macFor } from "../../services/manifest/interface_address.ts";
import { ARP_REQUEST } from "../../services/wire/arp.ts";
import type { EthernetRepr } from "../../services/wire/ethernet.ts";
import {
  type Ipv4Repr,
  PROTOCOL_ICMP,
  PROTOCOL_UDP,
} from "../../services/wire/ipv4.ts";
import {
  buildArp,
  buildIcmp,
  buildUdp,
  type FrameBytes,
} from "../arbitraries/frames.ts";
import { ETHERTYPE } from "../../services/wire/numbers.ts";

/** Who asks, and whom: IPv4 addresses, 32 bits. */
export interface NeighbourOptions {
  /** The neighbour's; 10.77.0.9 by default. */
  readonly address?: number;
  /** The host's; 10.77.0.2, a world's first host, by default. */
  readonly target?: number;
}

/** A neighbour of a host, whose Ethernet address it knows. */
export class Neighbour {
  readonly #address: number;
  readonly #target: number;

  /** Nothing is sent: it only writes frames. */
  constructor(options: NeighbourOptions = {}) {
    this.#address = options.address ?? 0x0a4d0009;
    this.#target = options.target ?? 0x0a4d0002;
  }

  /** Asks for the host's Ethernet address. */
  arp(): FrameBytes {
    return buildArp(this.#ethernet(ETHERTYPE.arp), {
      operation: ARP_REQUEST,
      senderMac: macFor(this.#address),
      senderAddress: this.#address,
      targetMac: new Uint8Array(6),
      targetAddress: this.#target,
    });
  }

  /** A ping. */
  ping(payload: Uint8Array, sequence: number = 0): FrameBytes {
    return buildIcmp(
      this.#ethernet(ETHERTYPE.ipv4),
      this.#ipv4(PROTOCOL_ICMP),
      { kind: "echo-request", identifier: 1, sequence, payload },
    );
  }

  /** A datagram to a port of the host. */
  datagram(
    destinationPort: number,
    payload: Uint8Array,
    sourcePort: number = 50000,
  ): FrameBytes {
    return buildUdp(this.#ethernet(ETHERTYPE.ipv4), this.#ipv4(PROTOCOL_UDP), {
      sourcePort,
      destinationPort,
      checksummed: true,
      payload,
    });
  }

  #ethernet(etherType: number): EthernetRepr {
    const source = macFor(this.#address);
    const destination = macFor(this.#target);
    return { destination, source, tags: [], etherType };
  }

  #ipv4(protocol: number): Ipv4Repr {
    return {
      dscp: 0,
      ecn: 0,
      identification: 0,
      dontFragment: true,
      moreFragments: false,
      fragmentOffset: 0,
      ttl: 64,
      protocol,
      source: this.#address,
      destination: this.#target,
      options: new Uint8Array(0),
      payloadBytes: 0,
    };
  }
}
