/**
 * The receive ring of a packet socket (TPACKET_V3): blocks of packets in memory
 * that the kernel shares. It fills a block, hands it over when the next packet
 * does not fit or a millisecond has passed, and has it back when we say so.
 * Source: Documentation/networking/packet_mmap.rst, include/uapi/linux/if_packet.h.
 *
 * ```
 *  block   ├ descriptor: status, packet count, first packet ┼ packet ┼ packet ┼ … ┤
 *  packet  ├ struct tpacket3_hdr ┼ … ┼ virtio header ┼ Ethernet frame ─┤ next
 *                                                mac ^
 * ```
 *
 * The virtio header (PACKET_VNET_HDR) ends where the frame begins. It says which
 * checksum is to be completed, and whether the frame is a super-packet, which
 * becomes many frames (segments.ts).
 */

import {
  type Batch,
  frameOffset,
  HEADROOM_BYTES,
  type PacketMemory,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import { ArrivalTimes } from "../../caps/memory/arrival_time.ts";
import { CHECKSUM_COMPLETE } from "../../caps/port/offload.ts";
import type { FrameRing } from "../kit/frame_ring.ts";
import { isTooLong, VLAN_TAG_BYTES } from "../kit/vlan_tags.ts";
import {
  UNREADABLE,
  VIRTIO_HEADER_BYTES,
  virtioHeaderSays,
} from "../segment/virtio_header.ts";
import {
  TP_STATUS_USER,
  TP_STATUS_VLAN_TPID_VALID,
  TP_STATUS_VLAN_VALID,
  Tpacket3,
  TpacketBlock,
} from "../sys/abi.ts";
import { Segments } from "./segments.ts";

/** The largest packet that a page can receive. */
export const FRAME_BYTES_MAX: number = PAGE_BYTES - HEADROOM_BYTES;

/** Where a VLAN tag lies in a frame. */
const VLAN_TAG_OFFSET = 12;
/** IEEE 802.1Q: what a tag's type is where the kernel does not say. */
const VLAN_TYPE = 0x8100;

const { load, store } = Atomics;

// Offsets in 32-bit words, once.
const STATUS = TpacketBlock.status / 4;
const PACKET_COUNT = TpacketBlock.packetCount / 4;
const FIRST_PACKET = TpacketBlock.firstPacket / 4;
const NEXT = Tpacket3.nextOffset / 4;
const SECONDS = Tpacket3.seconds / 4;
const NANOSECONDS = Tpacket3.nanoseconds / 4;
const SNAP_LENGTH = Tpacket3.snapLength / 4;
const LENGTH = Tpacket3.length / 4;
const PACKET_STATUS = Tpacket3.status / 4;
const MAC = Tpacket3.mac / 4;
const VLAN_TCI = Tpacket3.vlanTci / 4;
const VLAN_TPID = Tpacket3.vlanTpid / 4;

/** What a ring is made of. */
export interface BlockRingParts {
  /** The mapping: all blocks, one behind the other. */
  readonly buffer: ArrayBuffer;
  /** Bytes of a block: a multiple of a page. */
  readonly blockBytes: number;
  /** Where packets are copied to. */
  readonly memory: PacketMemory;
  /** Says the longest packet that is taken, VLAN tags not counted: at this moment. */
  readonly link: { readonly frameBytesMax: number };
}

/** A receive ring that is read. */
export class BlockRing {
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #blockBytes: number;
  readonly #blockCount: number;
  readonly #target: Uint8Array;
  readonly #times: ArrivalTimes;
  readonly #link: { readonly frameBytesMax: number };
  readonly #segments: Segments;
  /** The block that is read, or will be next. */
  #block = 0;
  /** Packets of it that are still to be read; 0 when it is the kernel's. */
  #left = 0;
  /** Where the next one of them lies, in bytes. */
  #at = 0;
  #tooLong = 0;
  #badHeader = 0;
  #superPackets = 0;

  /** A ring that the kernel has just made: every block is its own. */
  constructor(parts: BlockRingParts) {
    const { buffer, blockBytes, memory, link } = parts;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#blockBytes = blockBytes;
    this.#blockCount = buffer.byteLength / blockBytes;
    this.#target = memory.bytes;
    this.#times = new ArrivalTimes(memory.bytes.buffer);
    this.#segments = new Segments({ bytes: this.#bytes }, memory);
    this.#link = link;
  }

  /** Packets that were left out for their length, or that the kernel cut short. */
  get tooLong(): number {
    return this.#tooLong;
  }

  /** Packets that were left out because their virtio header makes no sense. */
  get badHeader(): number {
    return this.#badHeader;
  }

  /** Packets that became several frames. */
  get superPackets(): number {
    return this.#superPackets;
  }

  /** Whether a packet is waiting. */
  get ready(): boolean {
    return this.#left > 0 || (this.#status() & TP_STATUS_USER) !== 0;
  }

  /**
   * Copies packets into frames from `frames`, one each, a super-packet into as
   * many as it takes, and fills `batch[0 .. max)`. Returns how many. A block goes
   * back to the kernel as soon as its last packet is copied.
   */
  take(batch: Batch, max: number, frames: FrameRing): number {
    const segments = this.#segments;
    let count = 0;
    while (count < max && frames.size > 0) {
      if (this.#left === 0 && !this.#open()) break;
      if (segments.left === 0 && !this.#begin()) {
        this.#advance();
        continue;
      }
      const offset = frameOffset(frames.shift()) + HEADROOM_BYTES;
      this.#putTime(offset);
      batch.offset[count] = offset;
      batch.length[count] = this.#put(offset);
      batch.offload[count] = this.#offload;
      batch.tagLow[count] = 0;
      batch.tagHigh[count] = 0;
      count++;
      if (segments.left === 0) this.#advance();
    }
    return count;
  }

  /** Of the packet at hand: where it lies, its bytes, those of the VLAN tag that it had, and what is known of its checksum. */
  #from = 0;
  #length = 0;
  #tagBytes = 0;
  #offload = 0;

  /** Begins with the next packet. False, counted, when it is left out. */
  #begin(): boolean {
    const words = this.#words;
    const header = this.#at >>> 2;
    const length = words[header + SNAP_LENGTH]!;
    if (length < words[header + LENGTH]! || length < VLAN_TAG_OFFSET) {
      this.#tooLong++;
      return false;
    }
    const from = this.#at + (words[header + MAC]! & 0xffff);
    const status = words[header + PACKET_STATUS]!;
    this.#from = from;
    this.#length = length;
    this.#tagBytes = (status & TP_STATUS_VLAN_VALID) !== 0 ? VLAN_TAG_BYTES : 0;
    this.#offload = CHECKSUM_COMPLETE;
    let longest = length;
    if (virtioHeaderSays(this.#bytes, from - VIRTIO_HEADER_BYTES)) {
      const segments = this.#segments;
      this.#offload = segments.begin(from, length);
      if (this.#offload === UNREADABLE) {
        this.#badHeader++;
        return false;
      }
      if (segments.left > 0) longest = segments.frameBytes;
    }
    // The tag that was taken out is as little of what counts as one that is there.
    const fits = longest + this.#tagBytes <= FRAME_BYTES_MAX &&
      !isTooLong(this.#link.frameBytesMax, this.#bytes, from, longest);
    if (fits) {
      if (this.#segments.left > 0) this.#superPackets++;
      return true;
    }
    this.#segments.drop();
    this.#tooLong++;
    return false;
  }

  /** Says in front of the packet when the kernel got it. */
  #putTime(offset: number): void {
    const words = this.#words;
    const header = this.#at >>> 2;
    const seconds = words[header + SECONDS]!;
    this.#times.put(offset, seconds, words[header + NANOSECONDS]!);
  }

  /** Copies the packet, or its next segment, to `offset`. Returns its bytes. */
  #put(offset: number): number {
    const tagBytes = this.#tagBytes;
    const to = offset + tagBytes;
    let length = this.#length;
    if (this.#segments.left > 0) length = this.#segments.write(to);
    else {
      // A view costs 40 ns and nothing that stays; a loop over the words is
      // faster below 200 bytes only, and three times slower at 1,500 (measured).
      const from = this.#from;
      this.#target.set(this.#bytes.subarray(from, from + length), to);
    }
    if (tagBytes > 0) this.#putTag(offset);
    return length + tagBytes;
  }

  /** Puts a VLAN tag back that the kernel has taken out of the frame behind the tag's room. */
  #putTag(offset: number): void {
    const words = this.#words;
    const header = this.#at >>> 2;
    const status = words[header + PACKET_STATUS]!;
    const type = (status & TP_STATUS_VLAN_TPID_VALID) !== 0
      ? words[header + VLAN_TPID]! & 0xffff
      : VLAN_TYPE;
    const tag = words[header + VLAN_TCI]!;
    const target = this.#target;
    const behind = offset + VLAN_TAG_BYTES;
    target.copyWithin(offset, behind, behind + VLAN_TAG_OFFSET);
    const to = offset + VLAN_TAG_OFFSET;
    target[to] = type >>> 8;
    target[to + 1] = type;
    target[to + 2] = tag >>> 8;
    target[to + 3] = tag;
  }

  /** Goes on to the next packet; the last one's block is the kernel's again. */
  #advance(): void {
    this.#left--;
    if (this.#left > 0) this.#at += this.#words[(this.#at >>> 2) + NEXT]!;
    else this.#giveBack();
  }

  /** Begins to read the next block, if it has been handed over. */
  #open(): boolean {
    while ((this.#status() & TP_STATUS_USER) !== 0) {
      const start = this.#block * this.#blockBytes;
      this.#left = this.#words[(start >>> 2) + PACKET_COUNT]!;
      this.#at = start + this.#words[(start >>> 2) + FIRST_PACKET]!;
      if (this.#left > 0) return true;
      this.#giveBack();
    }
    return false;
  }

  #giveBack(): void {
    store(this.#words, this.#statusAt, 0);
    this.#block = this.#block + 1 === this.#blockCount ? 0 : this.#block + 1;
  }

  #status(): number {
    return load(this.#words, this.#statusAt);
  }

  get #statusAt(): number {
    return ((this.#block * this.#blockBytes) >>> 2) + STATUS;
  }
}
