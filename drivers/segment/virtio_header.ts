/**
 * The virtio header in front of packets of a TAP, or of an AF_PACKET socket with
 * PACKET_VNET_HDR: which checksum is to be completed, and whether it is a
 * super-packet. Written by drivers alone, from headers that they read themselves.
 *
 * ```
 * 0       1          2             4          6            8             10
 * ├ flags ┼ gso type ┼ header size ┼ gso size ┼ csum start ┼ csum offset ┤  linux/virtio_net.h
 * ```
 */

import {
  CHECKSUM_COMPLETE,
  CHECKSUM_PARTIAL,
  GSO_NONE,
  gsoOf,
  offloadWord,
  segmentBytesOf,
} from "../../caps/port/offload.ts";
import { Checksums, type PacketBytes } from "./checksum.ts";
import { gsoKindOf } from "./segmenter.ts";
import { PROTOCOL_TCP, Transport } from "./transport.ts";

/** Bytes of a virtio header: `struct virtio_net_hdr`. */
export const VIRTIO_HEADER_BYTES = 10;

/** What {@link VirtioHeaders.read} says of a packet whose header makes no sense. */
export const UNREADABLE = -1;

// linux/virtio_net.h
const FLAG_NEEDS_CHECKSUM = 1;
const TYPE_TCP4 = 1;
const TYPE_TCP6 = 4;
const TYPE_UDP = 5;
const TYPE_ECN = 0x80;

/** The gso type of each GSO_…. */
const TYPES = [0, TYPE_TCP4, TYPE_TCP6, TYPE_UDP];

/** TCP's flag "congestion window reduced". */
const CWR = 0x80;

/** Whether the header `header[at..)` says anything that {@link VirtioHeaders.read} would look at. */
export function virtioHeaderSays(header: Uint8Array, at: number): boolean {
  return (header[at]! & FLAG_NEEDS_CHECKSUM) !== 0 || header[at + 1] !== 0;
}

/** Reads and writes headers of packets in one memory. */
export class VirtioHeaders {
  readonly #bytes: Uint8Array;
  readonly #checksums: Checksums;
  readonly #packet = new Transport();

  /** Of packets in `memory`. */
  constructor(memory: PacketBytes) {
    this.#bytes = memory.bytes;
    this.#checksums = new Checksums(memory);
  }

  /**
   * What the header `header[at..)` says of the Ethernet frame at `start`, whose
   * checksum is counted from `base` on (the frame's start but for a TUN's): a
   * word of caps/port/offload.ts. A checksum that is neither TCP's nor UDP's own is
   * completed here; {@link UNREADABLE} when that or the rest makes no sense.
   */
  read(
    header: Uint8Array,
    at: number,
    start: number,
    length: number,
    base: number = start,
  ): number {
    const type = header[at + 1]! & ~TYPE_ECN;
    const partial = (header[at]! & FLAG_NEEDS_CHECKSUM) !== 0;
    if (!partial && type === 0) return 0;
    const packet = this.#packet;
    const found = packet.find(this.#bytes, start, length);
    if (type !== 0) {
      const segmentBytes = header[at + 4]! | header[at + 5]! << 8;
      if (!found || segmentBytes === 0) return UNREADABLE;
      const gso = gsoKindOf(packet, segmentBytes);
      const state = partial ? CHECKSUM_PARTIAL : CHECKSUM_COMPLETE;
      if (gso === GSO_NONE) return offloadWord(state, 0, 0);
      return TYPES[gso] === type
        ? offloadWord(state, gso, segmentBytes)
        : UNREADABLE;
    }
    const from = base + (header[at + 6]! | header[at + 7]! << 8);
    const to = from + (header[at + 8]! | header[at + 9]! << 8);
    if (found && from === packet.transport && to === packet.checksumAt) {
      return offloadWord(CHECKSUM_PARTIAL, GSO_NONE, 0);
    }
    if (to + 2 > start + length) return UNREADABLE;
    this.#checksums.completeFrom(from, start + length, to);
    return 0;
  }

  /**
   * Writes the header of the Ethernet frame at `start` to `header[at..)`, and
   * begins its checksum, for what `offload` asks; offsets are counted from
   * `base`. Where that cannot be, the header says that the frame is as it is.
   */
  write(
    offload: number,
    header: Uint8Array,
    at: number,
    start: number,
    length: number,
    base: number = start,
  ): void {
    const packet = this.#packet;
    if (offload === 0 || !packet.find(this.#bytes, start, length)) {
      header.fill(0, at, at + VIRTIO_HEADER_BYTES);
      return;
    }
    this.#checksums.begin(packet);
    const gso = gsoOf(offload);
    const isTcp = packet.protocol === PROTOCOL_TCP;
    const reduced = isTcp && gso !== GSO_NONE &&
      (this.#bytes[packet.transport + 13]! & CWR) !== 0;
    header[at] = FLAG_NEEDS_CHECKSUM;
    header[at + 1] = TYPES[gso]! | (reduced ? TYPE_ECN : 0);
    putLittle(header, at + 2, gso === GSO_NONE ? 0 : packet.payload - base);
    putLittle(header, at + 4, segmentBytesOf(offload));
    putLittle(header, at + 6, packet.transport - base);
    putLittle(header, at + 8, packet.checksumAt - packet.transport);
  }
}

/** The machine's own byte order, which is this on all that Deno runs on. */
function putLittle(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}
