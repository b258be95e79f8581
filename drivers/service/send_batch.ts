/**
 * The frames that a holder wants to send, on their way to the NIC: they gather
 * here, and each goes out if its capability's sending grant matches it, checked in
 * memory that its sender cannot write any more, and if the rate limit has room.
 */

import {
  type Batch,
  BATCH_MAX,
  frameAt,
  type PacketMemory,
} from "../../caps/memory/memory.ts";
import { hasRights, RIGHT_SEND } from "../../caps/kernel/rights.ts";
import type { PageLedger } from "../../caps/memory/page_ledger.ts";
import {
  CHECKSUM_PARTIAL,
  checksumOf,
  GSO_NONE,
  offloadWord,
  segmentBytesOf,
} from "../../caps/port/offload.ts";
import { type DriverInfo, wireBytesMaxOf } from "../driver.ts";
import { isTooLong, VLAN_TAG_BYTES, VLAN_TAGS_MAX } from "../kit/vlan_tags.ts";
import type { Account } from "./account.ts";
import type { Classifier } from "./classifier.ts";
import type { Holder } from "./holder.ts";
import type { Turn } from "./meter.ts";
import type { Transmitter } from "./transmitter.ts";

/** The shortest Ethernet frame that means anything: its header. */
const FRAME_BYTES_MIN = 14;

const TAGS_BYTES_MAX = VLAN_TAGS_MAX * VLAN_TAG_BYTES;

/** The longest super-packet: the longest IP packet, behind an Ethernet header and two tags. */
const SUPER_BYTES_MAX = 65535 + 14 + TAGS_BYTES_MAX;

export interface SendParts {
  /** The NIC's. */
  readonly info: DriverInfo;
  readonly memory: PacketMemory;
  readonly ledger: PageLedger;
  readonly classifier: Classifier;
  /** Sends what may be sent. */
  readonly transmitter: Transmitter;
  /** Where the classifier finds the frames. */
  readonly batch: Batch;
  readonly turn: Turn;
}

/** Gathers frames, each charged to its sender until the NIC has sent it. */
export class SendBatch {
  readonly #parts: SendParts;
  /** Frames that wait for the check and the NIC. */
  #count = 0;
  /** Who sends each of them. */
  readonly #senders: Account[] = [];

  constructor(parts: SendParts) {
    this.#parts = parts;
  }

  /**
   * Whether a frame's shape and its sender's rights allow it to be sent; counted
   * when not. It is to have `length` bytes, lies where there is `room` for so
   * many, and takes `pages` of the sender's quota.
   *
   * A record that lies about its room is a strike: no honest holder writes one.
   * What is too short or too long for the wire is none: a frame that arrives can
   * lead an honest holder to it, and so can an MTU that was changed since.
   */
  admits(
    holder: Holder,
    sender: Account | undefined,
    length: number,
    room: number,
    pages: number,
    wish: number,
  ): sender is Account {
    if (sender === undefined) return false;
    if (length > room) {
      holder.strike("malformed-frame");
      return false;
    }
    if (!hasRights(sender.spec.rights, RIGHT_SEND)) {
      sender.drops.add("send-no-right");
      return false;
    }
    if (length < FRAME_BYTES_MIN) {
      sender.drops.add("send-too-short");
      return false;
    }
    // Which of its tags count is told once it is in packet memory.
    const longest = segmentBytesOf(wish) > 0
      ? SUPER_BYTES_MAX
      : wireBytesMaxOf(this.#parts.info) + TAGS_BYTES_MAX;
    if (length > longest) {
      sender.drops.add("send-too-large");
      return false;
    }
    // A page that came back is nobody's by now, and its sender's next.
    if (!sender.pages.mayHold(pages)) {
      sender.drops.add("send-no-page");
      return false;
    }
    return true;
  }

  /** Puts in a frame that was admitted. It is in flight or idle after {@link flush}. */
  put(sender: Account, offset: number, length: number, wish: number): void {
    const { batch } = this.#parts;
    batch.offset[this.#count] = offset;
    batch.length[this.#count] = length;
    batch.offload[this.#count] = wish;
    this.#senders[this.#count] = sender;
    this.#count++;
    sender.pages.hold(this.#parts.ledger.pagesOf(frameAt(offset)));
    if (this.#count === BATCH_MAX) this.flush();
  }

  /** Sends what is permitted; every frame that was put in is in flight or idle afterwards. */
  flush(): void {
    if (this.#count === 0) return;
    const { batch, info, transmitter } = this.#parts;
    const wireBytesMax = wireBytesMaxOf(info);
    this.#permitAll();
    for (let i = 0; i < this.#count; i++) {
      const sender = this.#senders[i]!;
      const offset = batch.offset[i]!;
      const length = batch.length[i]!;
      const wish = batch.offload[i]!;
      const permitted = batch.slot[i] === sender.spec.slot;
      const reason = permitted
        ? this.#refusal(sender, offset, length, wish, wireBytesMax)
        : "send-not-permitted";
      if (reason !== undefined) transmitter.drop(sender, reason, offset);
      else if (wish === 0) transmitter.put(sender, offset, length);
      else transmitter.finish(sender, offset, length, segmentBytesOf(wish));
    }
    transmitter.flush();
    this.#count = 0;
  }

  /** Has the grants checked: one call for all frames that one sender has side by side. */
  #permitAll(): void {
    const { batch, classifier } = this.#parts;
    const senders = this.#senders;
    let from = 0;
    for (let to = 1; to <= this.#count; to++) {
      const sender = senders[from]!;
      if (to < this.#count && senders[to] === sender) continue;
      classifier.permit(batch, from, to, sender.spec.slot);
      from = to;
    }
  }

  /** Why a permitted frame does not go out all the same; one that does is charged to the rate limit. */
  #refusal(
    { meters }: Account,
    offset: number,
    length: number,
    wish: number,
    wireBytesMax: number,
  ): string | undefined {
    const { memory, turn } = this.#parts;
    if (wish === 0 && isTooLong(wireBytesMax, memory.bytes, offset, length)) {
      return "send-too-large";
    }
    if (meters === undefined) return undefined;
    // A super-packet goes through where its first segment does, and is charged as all of them.
    const firstBytes = Math.min(length, wireBytesMax);
    if (!meters.sent.admits(firstBytes, turn.nowMs)) return "send-rate-limit";
    meters.sent.charge(length);
    return undefined;
  }
}

/**
 * What the sender of a packet asks to have done: a checksum, and segments of so
 * many bytes. All that is taken from the `offload` that it wrote.
 */
export function wishOf(offload: number): number {
  if (offload === 0) return 0;
  const segmentBytes = segmentBytesOf(offload);
  return checksumOf(offload) === CHECKSUM_PARTIAL || segmentBytes > 0
    ? offloadWord(CHECKSUM_PARTIAL, GSO_NONE, segmentBytes)
    : 0;
}
