/**
 * The last step before the NIC: packets that may go out become what the NIC
 * sends. A checksum that is to be completed is, and a super-packet is taken
 * apart, by the NIC where it offers that and here where not. What a packet is,
 * is read from the packet itself, in memory that its sender cannot write any
 * more: of the sender comes nothing but the wish, and a segment's size.
 */

import {
  type Batch,
  BATCH_MAX,
  frameAt,
  frameOffset,
  HEADROOM_BYTES,
  type PacketMemory,
  PAGE_BYTES,
  privateBatch,
} from "../../caps/memory/memory.ts";
import {
  CHECKSUM_PARTIAL,
  GSO_NONE,
  GSO_UDP,
  OFFLOAD_CHECKSUM,
  offloadsGso,
  offloadWord,
} from "../../caps/port/offload.ts";
import { NO_FRAME, type PageLedger } from "../../caps/memory/page_ledger.ts";
import { type Driver, type DriverInfo, wireBytesMaxOf } from "../driver.ts";
import { isTooLong } from "../kit/vlan_tags.ts";
import { Checksums } from "../segment/checksum.ts";
import { gsoKindOf, Segmenter } from "../segment/segmenter.ts";
import { Transport } from "../segment/transport.ts";
import type { Account } from "./account.ts";

/** Bytes of an Ethernet header without tags. */
const ETHERNET_BYTES = 14;

/** The longest segment that is made here, headers included: it lies in one page. */
const SEGMENT_BYTES_MAX = PAGE_BYTES - HEADROOM_BYTES;

/** The most segments of one super-packet: 65,535 bytes in pieces of 256. */
const SEGMENTS_MAX = 256;

/** The most datagrams that a kernel makes of one packet (linux/udp.h, UDP_MAX_SEGMENTS). */
const UDP_SEGMENTS_MAX = 128;

export interface TransmitterParts {
  readonly memory: PacketMemory;
  readonly ledger: PageLedger;
  readonly driver: Driver;
}

/** Sends for the accounts that the pages of its packets are charged to. */
export class Transmitter {
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #ledger: PageLedger;
  readonly #driver: Driver;
  /** The offloads of the NIC, as bits. */
  readonly #offloads: number;
  readonly #info: DriverInfo;
  readonly #checksums: Checksums;
  readonly #segmenter: Segmenter;
  readonly #packet = new Transport();
  readonly #batch: Batch = privateBatch();
  #count = 0;
  /** Who sends each packet of the batch. */
  readonly #senders: Account[] = [];
  sentPackets = 0;
  sentBytes = 0;

  /** In front of `parts.driver`. */
  constructor({ memory, ledger, driver }: TransmitterParts) {
    this.#bytes = memory.bytes;
    this.#ledger = ledger;
    this.#driver = driver;
    this.#info = driver.info;
    this.#offloads = driver.info.offloads ?? 0;
    this.#checksums = new Checksums(memory);
    this.#segmenter = new Segmenter(memory);
  }

  /**
   * Puts a packet that is ready, and whose pages are charged to `sender`, among
   * those that are sent. Its frame is in flight or idle after {@link flush}.
   */
  put(sender: Account, offset: number, length: number, offload = 0): void {
    const batch = this.#batch;
    batch.offset[this.#count] = offset;
    batch.length[this.#count] = length;
    batch.offload[this.#count] = offload;
    this.#senders[this.#count] = sender;
    if (++this.#count === BATCH_MAX) this.flush();
  }

  /** Puts a packet whose checksum is to be completed, or that has to become segments of `segmentBytes`. */
  finish(
    sender: Account,
    offset: number,
    length: number,
    segmentBytes: number,
  ): void {
    const packet = this.#packet;
    if (!packet.find(this.#bytes, offset, length)) {
      return this.drop(sender, "send-not-completable", offset);
    }
    const gso = gsoKindOf(packet, segmentBytes);
    if (gso !== GSO_NONE) this.#putSuper(sender, gso, segmentBytes);
    else if (
      isTooLong(wireBytesMaxOf(this.#info), this.#bytes, offset, length)
    ) {
      this.drop(sender, "send-too-large", offset);
    } else if ((this.#offloads & OFFLOAD_CHECKSUM) !== 0) {
      const word = offloadWord(CHECKSUM_PARTIAL, GSO_NONE, 0);
      this.put(sender, offset, length, word);
    } else {
      this.#checksums.complete(packet);
      this.put(sender, offset, length);
    }
  }

  #putSuper(sender: Account, gso: number, wanted: number): void {
    const packet = this.#packet;
    const { start, payload, end } = packet;
    const whole = this.#takesWhole(gso, wanted);
    const wireBytes = this.#wireBytesOf(packet);
    const most = (whole ? wireBytes : Math.min(wireBytes, SEGMENT_BYTES_MAX)) -
      (payload - start);
    // A shorter segment is still TCP; another datagram is not what was sent.
    const segmentBytes = gso === GSO_UDP ? wanted : Math.min(wanted, most);
    if (segmentBytes > most || segmentBytes <= 0) {
      return this.drop(sender, "send-too-large", start);
    }
    const count = this.#segmenter.count(packet, segmentBytes);
    if (count > SEGMENTS_MAX) {
      return this.drop(sender, "send-too-many-segments", start);
    }
    // Each segment has headers of its own; the first one is charged already.
    sender.meters?.sent.charge((count - 1) * (payload - start), count - 1);
    if (whole) {
      const word = offloadWord(CHECKSUM_PARTIAL, gso, segmentBytes);
      return this.put(sender, start, end - start, word);
    }
    // The segments take the place of the packet, in the sender's quota too.
    const frame = frameAt(start);
    sender.pages.release(this.#ledger.pagesOf(frame));
    for (let i = 0; i < count; i++) {
      if (!this.#putSegment(sender, segmentBytes, i)) {
        sender.drops.add("send-no-page", count - i);
        break;
      }
    }
    this.#ledger.putIdle(frame);
  }

  /** Whether the NIC makes the segments of the packet at hand. */
  #takesWhole(gso: number, segmentBytes: number): boolean {
    return (this.#offloads & offloadsGso(gso)) !== 0 &&
      (gso !== GSO_UDP ||
        this.#segmenter.count(this.#packet, segmentBytes) <= UDP_SEGMENTS_MAX);
  }

  /** The most bytes of a frame with the tags that `packet` has. */
  #wireBytesOf({ start, network }: Transport): number {
    return wireBytesMaxOf(this.#info) + network - start - ETHERNET_BYTES;
  }

  /** False when there is no page for it, of the sender's quota or at all. */
  #putSegment(sender: Account, segmentBytes: number, index: number): boolean {
    const ledger = this.#ledger;
    if (!sender.pages.mayHold(1)) return false;
    const frame = ledger.takeIdle();
    if (frame === NO_FRAME) return false;
    sender.pages.hold(1);
    const target = frameOffset(frame) + HEADROOM_BYTES;
    const packet = this.#packet;
    const length = this.#segmenter.write(packet, segmentBytes, index, target);
    this.put(sender, target, length);
    return true;
  }

  /** Sends what was put; every frame of it is in flight or idle afterwards. */
  flush(): void {
    if (this.#count === 0) return;
    const batch = this.#batch;
    const count = this.#count;
    this.#count = 0;
    const sent = this.#driver.transmit(batch, count);
    for (let i = 0; i < count; i++) {
      const sender = this.#senders[i]!;
      const offset = batch.offset[i]!;
      if (i < sent) this.#sent(sender, frameAt(offset), batch.length[i]!);
      else this.drop(sender, "send-ring-full", offset);
    }
  }

  /** Drops a packet whose pages are charged to `sender`: counted, and its frame idle. */
  drop(sender: Account, reason: string, offset: number): void {
    const frame = frameAt(offset);
    sender.drops.add(reason);
    sender.pages.release(this.#ledger.pagesOf(frame));
    this.#ledger.putIdle(frame);
  }

  #sent(sender: Account, frame: number, length: number): void {
    this.#ledger.send(frame, sender.spec.slot);
    sender.sentPackets++;
    sender.sentBytes += length;
    this.sentPackets++;
    this.sentBytes += length;
  }
}
