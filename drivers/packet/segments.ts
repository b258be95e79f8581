/**
 * Super-packets in a receive ring: TCP segments and UDP datagrams of up to 64 KiB
 * that a kernel did not take apart because the device would (a veth never does),
 * or that it put together from many (GRO). Each leaves the ring as the frames that
 * a wire would have carried.
 *
 * They are taken apart here and not handed over whole, because a holder sees
 * frames then, and needs to know nothing of segmentation, and because a NIC that
 * receives super-packets receives every packet into an extent of 17 pages. It
 * costs nothing more: each byte is copied out of the ring once, either way.
 *
 * The transport checksum of each frame is only begun, and the frame says so: what
 * a kernel merges it has verified before, and what it never took apart has not
 * been on a wire.
 *
 * What is in a tunnel, or longer than an IP header can say (BIG TCP, which is
 * off unless somebody turned it on), is counted and left out.
 */

import type { PacketMemory } from "../../caps/memory/memory.ts";
import {
  CHECKSUM_PARTIAL,
  GSO_NONE,
  gsoOf,
  offloadWord,
  segmentBytesOf,
} from "../../caps/port/offload.ts";
import type { PacketBytes } from "../segment/checksum.ts";
import { Segmenter } from "../segment/segmenter.ts";
import { Transport } from "../segment/transport.ts";
import {
  UNREADABLE,
  VIRTIO_HEADER_BYTES,
  VirtioHeaders,
} from "../segment/virtio_header.ts";

/**
 * The most frames of one super-packet: 64 KiB in TCP segments of 48 bytes, the
 * least that Linux sends of what it has more (net/tcp.h, TCP_MIN_SND_MSS).
 */
export const SEGMENTS_MAX: number = Math.ceil(65536 / 48);

/** What a segment says of itself. */
const PARTIAL = offloadWord(CHECKSUM_PARTIAL, GSO_NONE, 0);

/** The super-packet in a ring that is being taken apart, if there is one. */
export class Segments {
  readonly #bytes: Uint8Array;
  readonly #headers: VirtioHeaders;
  readonly #segmenter: Segmenter;
  readonly #packet = new Transport();
  #segmentBytes = 0;
  #index = 0;
  #count = 0;

  /** Of packets in `ring`, to places in `memory`. */
  constructor(ring: PacketBytes, memory: PacketMemory) {
    this.#bytes = ring.bytes;
    this.#headers = new VirtioHeaders(ring);
    this.#segmenter = new Segmenter(memory, { source: ring, partial: true });
  }

  /** Segments of it that are still to be written. */
  get left(): number {
    return this.#count - this.#index;
  }

  /** Bytes of the longest of them. */
  get frameBytes(): number {
    const { start, payload } = this.#packet;
    return payload - start + this.#segmentBytes;
  }

  /**
   * Begins with the frame at `at`, behind its virtio header; nothing is left
   * when it is no super-packet. Returns what is known of the frames that it
   * becomes, as a word of caps/port/offload.ts, or {@link UNREADABLE}.
   */
  begin(at: number, length: number): number {
    this.#count = this.#index = 0;
    const bytes = this.#bytes;
    const header = at - VIRTIO_HEADER_BYTES;
    const word = this.#headers.read(bytes, header, at, length);
    if (word === UNREADABLE || gsoOf(word) === GSO_NONE) return word;
    const packet = this.#packet;
    if (!packet.find(bytes, at, length)) return UNREADABLE;
    this.#segmentBytes = segmentBytesOf(word);
    const count = this.#segmenter.count(packet, this.#segmentBytes);
    if (count > SEGMENTS_MAX) return UNREADABLE;
    this.#count = count;
    return PARTIAL;
  }

  /** Writes the next segment to `target`. Returns its bytes. */
  write(target: number): number {
    return this.#segmenter.write(
      this.#packet,
      this.#segmentBytes,
      this.#index++,
      target,
    );
  }

  /** Leaves out what is left. */
  drop(): void {
    this.#index = this.#count;
  }
}
