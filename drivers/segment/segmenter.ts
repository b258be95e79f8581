/**
 * Takes super-packets apart, for NICs that do not do it themselves: each segment
 * has the headers of the whole, with its own lengths, numbers and checksums, as
 * Linux makes them (net/ipv4/tcp_offload.c, net/ipv4/udp_offload.c).
 */

import {
  GSO_NONE,
  GSO_TCP4,
  GSO_TCP6,
  GSO_UDP,
} from "../../caps/port/offload.ts";
import { Checksums, type PacketBytes } from "./checksum.ts";
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

/** How segments are made. */
export interface SegmenterOptions {
  /** Where super-packets lie; where their segments are written by default. */
  readonly source?: PacketBytes;
  /**
   * Whether transport checksums are only begun, with the sum of the
   * pseudo-header: the segments are CHECKSUM_PARTIAL then. False by default.
   */
  readonly partial?: boolean;
}

/** Makes segments in one memory. */
export class Segmenter {
  readonly #bytes: Uint8Array;
  readonly #source: Uint8Array;
  readonly #partial: boolean;
  readonly #checksums: Checksums;
  /** The segment that is being written. */
  readonly #segment = new Transport();

  /** Writes to `memory`. */
  constructor(memory: PacketBytes, options: SegmenterOptions = {}) {
    const { source = memory, partial = false } = options;
    this.#bytes = memory.bytes;
    this.#source = source.bytes;
    this.#partial = partial;
    this.#checksums = new Checksums(memory);
  }

  /** How many segments of at most `segmentBytes` of payload a packet is. */
  count(packet: Transport, segmentBytes: number): number {
    return Math.ceil((packet.end - packet.payload) / segmentBytes);
  }

  /**
   * Writes segment `index` of `packet`, which was found in the source, to
   * `target`: a place outside it with room for its headers and `segmentBytes`.
   * @returns how many bytes it has.
   */
  write(
    packet: Transport,
    segmentBytes: number,
    index: number,
    target: number,
  ): number {
    const { start, payload, end } = packet;
    const from = payload + index * segmentBytes;
    const to = Math.min(from + segmentBytes, end);
    const headersBytes = payload - start;
    this.#copy(target, start, payload);
    this.#copy(target + headersBytes, from, to);
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
    if (this.#partial) this.#checksums.begin(segment);
    else this.#checksums.complete(segment);
    return segment.end - target;
  }

  /** Copies `[from .. to)` of the source. */
  #copy(target: number, from: number, to: number): void {
    const bytes = this.#bytes;
    const source = this.#source;
    // Within one array there is a copy that needs no view.
    if (source === bytes) bytes.copyWithin(target, from, to);
    else bytes.set(source.subarray(from, to), target);
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
