/**
 * Takes super-packets apart, for NICs that do not do it themselves: each segment
 * has the headers of the whole, with its own lengths, numbers and checksums, as
 * Linux makes them (net/ipv4/tcp_offload.c, net/ipv4/udp_offload.c).
 */

import type { PacketMemory } from "../../caps/memory.ts";
import { GSO_NONE, GSO_TCP4, GSO_TCP6, GSO_UDP } from "../../caps/offload.ts";
import { Checksums } from "./checksum.ts";
import { PROTOCOL_TCP, putU16, Transport, u16 } from "./transport.ts";

/** TCP's flags (RFC 9293 section 3.1), that only the last segment has, and only the first. */
const FIN_AND_PSH = 0x09;
const CWR = 0x80;

/** The kind of super-packet that a packet is, if it is longer than a segment. */
export function gsoKindOf(packet: Transport, segmentBytes: number): number {
  if (segmentBytes === 0 || packet.end - packet.payload <= segmentBytes) {
    return GSO_NONE;
  }
  if (packet.protocol !== PROTOCOL_TCP) return GSO_UDP;
  return packet.version === 4 ? GSO_TCP4 : GSO_TCP6;
}

/** Makes segments in one packet memory. */
export class Segmenter {
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #checksums: Checksums;
  /** The segment that is being written. */
  readonly #segment = new Transport();

  /** Of packets in `memory`, to places in it. */
  constructor(memory: PacketMemory, checksums = new Checksums(memory)) {
    this.#bytes = memory.bytes;
    this.#checksums = checksums;
  }

  /** How many segments of at most `segmentBytes` of payload a packet is. */
  count(packet: Transport, segmentBytes: number): number {
    return Math.ceil((packet.end - packet.payload) / segmentBytes);
  }

  /**
   * Writes segment `index` of `packet` to `target`, which is a place outside it
   * with room for its headers and `segmentBytes`.
   * @returns how many bytes it has.
   */
  write(
    packet: Transport,
    segmentBytes: number,
    index: number,
    target: number,
  ): number {
    const bytes = this.#bytes;
    const { start, payload, end } = packet;
    const from = payload + index * segmentBytes;
    const to = Math.min(from + segmentBytes, end);
    const headersBytes = payload - start;
    bytes.copyWithin(target, start, payload);
    bytes.copyWithin(target + headersBytes, from, to);
    const segment = this.#segment;
    const moved = target - start;
    segment.version = packet.version;
    segment.protocol = packet.protocol;
    segment.start = target;
    segment.network = packet.network + moved;
    segment.transport = packet.transport + moved;
    segment.payload = payload + moved;
    segment.end = segment.payload + to - from;
    this.#number(segment, index, from - payload, to === end);
    this.#checksums.complete(segment);
    return segment.end - target;
  }

  /** Writes a segment's lengths and numbers. */
  #number(
    segment: Transport,
    index: number,
    before: number,
    isLast: boolean,
  ): void {
    const bytes = this.#bytes;
    const { network, transport, end } = segment;
    if (segment.version === 4) {
      putU16(bytes, network + 2, end - network);
      putU16(bytes, network + 4, u16(bytes, network + 4) + index & 0xffff);
      this.#checksums.completeIpv4(network, (bytes[network]! & 15) << 2);
    } else {
      putU16(bytes, network + 4, end - network - 40);
    }
    if (segment.protocol !== PROTOCOL_TCP) {
      putU16(bytes, transport + 4, end - transport);
      return;
    }
    const sequence = u16(bytes, transport + 4) * 0x10000 +
      u16(bytes, transport + 6) + before;
    putU16(bytes, transport + 4, sequence >>> 16 & 0xffff);
    putU16(bytes, transport + 6, sequence & 0xffff);
    let flags = bytes[transport + 13]!;
    if (!isLast) flags &= ~FIN_AND_PSH;
    if (index > 0) flags &= ~CWR;
    bytes[transport + 13] = flags;
  }
}
