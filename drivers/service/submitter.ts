/**
 * Submissions: what a holder sends back. Nothing in one is believed: a page is
 * taken only if it is the very one that was lent to this very holder, a frame
 * goes out only if the capability's sending grant matches it, checked in memory
 * that the holder cannot write any more.
 */

import {
  type Batch,
  BATCH_MAX,
  EXTENT_PAGES,
  frameAt,
  frameOffset,
  HEADROOM_BYTES,
  type PacketMemory,
  PAGE_BYTES,
  PAGE_SHIFT,
} from "../../caps/memory/memory.ts";
import { NO_FRAME, type PageLedger } from "../../caps/memory/page_ledger.ts";
import {
  INLINE,
  RECORD_BYTES,
  RecordView,
  STRING_BYTES,
} from "../../caps/port/records.ts";
import {
  CHECKSUM_PARTIAL,
  checksumOf,
  GSO_NONE,
  offloadWord,
  segmentBytesOf,
} from "../../caps/port/offload.ts";
import { hasRights, RIGHT_SEND } from "../../caps/kernel/rights.ts";
import { isSubmission, nextRecord } from "../../caps/port/submission.ts";
import { RING_ENTRIES } from "../../caps/port/trusted_ring.ts";
import type { TagTable } from "../../caps/kernel/tag_table.ts";
import { tagOf } from "../../caps/kernel/tag.ts";
import type { Driver } from "../driver.ts";
import type { Classifier } from "./classifier.ts";
import type { Holder } from "./holder.ts";
import type { Account } from "./account.ts";
import type { Turn } from "./meter.ts";
import type { Outlet } from "./outlet.ts";
import { ReturnedPages } from "./returned_pages.ts";

/** The shortest Ethernet frame that means anything: its header. */
const FRAME_BYTES_MIN = 14;

/** The longest super-packet: the longest IP packet, behind an Ethernet header and two tags. */
const SUPER_BYTES_MAX = 65535 + 14 + 8;

/** What submissions work on. */
export interface SubmissionParts {
  readonly memory: PacketMemory;
  readonly ledger: PageLedger;
  readonly driver: Driver;
  /** Sends what may be sent. */
  readonly outlet: Outlet;
  readonly classifier: Classifier;
  readonly tags: TagTable;
  /** The batch that outgoing frames are put together in. */
  readonly batch: Batch;
  /** By slot. */
  readonly accounts: readonly (Account | undefined)[];
  readonly turn: Turn;
  /** Called when a revoked capability's last page has come back. */
  readonly onDrained: (account: Account) => void;
}

/** Takes what holders send. */
export class Submitter {
  readonly #parts: SubmissionParts;
  readonly #wireBytesMax: number;
  /** The pages that the message at hand gave back. */
  readonly #returned: ReturnedPages;
  /** Frames staged in the batch, waiting for the check and the NIC. */
  #staged = 0;
  /** Pages that they are in. */
  #stagedPages = 0;

  constructor(parts: SubmissionParts) {
    const { frameBytesMax, wireBytesMax } = parts.driver.info;
    this.#wireBytesMax = wireBytesMax ?? frameBytesMax;
    this.#parts = parts;
    this.#returned = new ReturnedPages(parts.memory.frameCount);
  }

  /** Handles one message of `holder`'s: whatever it is, it costs nobody else anything. */
  submit(holder: Holder, message: unknown): void {
    if (!isSubmission(message)) {
      holder.strike("malformed");
      return;
    }
    const { capability, records, count, pages } = message;
    const sender = this.#present(holder, capability);
    if (sender === undefined) holder.strikeVoid();
    if (!this.#walk(holder, sender, new RecordView(records), count, pages)) {
      holder.strike("malformed-record");
    }
    if (sender !== undefined) this.#flush(sender);
    this.#returned.putIdle(this.#parts.ledger);
    holder.returnString(records, capability);
  }

  /**
   * Takes what a trusted holder gave back in its ring: each frame, once it has
   * been sent where it is to be. Returns how many entries it read.
   */
  takeReturns(holder: Holder): number {
    const { trusted } = holder;
    if (trusted === undefined) return 0;
    const { returns } = trusted;
    const count = returns.available;
    if (count > RING_ENTRIES) {
      holder.strike("lying-ring");
      returns.advance(count);
      return 0;
    }
    const { words } = returns;
    let sender: Account | undefined;
    for (let i = 0; i < count; i++) {
      // Read once each: the holder may write there meanwhile.
      const { at } = returns;
      const [offset, length] = [words[at]!, words[at + 1]!];
      const [slot, offload] = [words[at + 2]!, words[at + 3]!];
      returns.advance(1);
      if (sender?.spec.slot !== slot) {
        if (sender !== undefined) this.#flush(sender);
        sender = this.#accountOf(holder, slot);
      }
      this.#takeReturn(holder, sender, offset, length, wishOf(offload));
    }
    if (sender !== undefined) this.#flush(sender);
    return count;
  }

  /** The live account of this holder's at `slot`, if there is one. */
  #accountOf(holder: Holder, slot: number): Account | undefined {
    const account = this.#parts.accounts[slot];
    return account?.holder === holder && account.live ? account : undefined;
  }

  #takeReturn(
    holder: Holder,
    sender: Account | undefined,
    offset: number,
    length: number,
    wish: number,
  ): void {
    const { ledger, accounts } = this.#parts;
    const frame = frameAt(offset);
    const lender = accounts[ledger.lentTo(frame)];
    if (lender?.holder !== holder || !ledger.isFirst(frame)) {
      holder.strike("forged-page");
      return;
    }
    const pages = ledger.pagesOf(frame);
    holder.trusted!.out--;
    ledger.takeBack(frame, pages);
    lender.pages.release(pages);
    if (!lender.live && lender.pages.held === 0) this.#parts.onDrained(lender);
    if (length > 0 && sender === undefined) holder.strikeVoid();
    const room = pages * PAGE_BYTES - (offset - frameOffset(frame));
    if (
      length > 0 && this.#maySend(holder, sender, length, room, pages, wish)
    ) {
      this.#stage(sender!, offset, length, wish);
    } else {
      ledger.putIdle(frame);
    }
  }

  /** The live account that `tag` names in this holder's table. */
  #present(holder: Holder, tag: unknown): Account | undefined {
    const halves = tagOf(tag);
    if (halves === undefined) return undefined;
    const slot = this.#parts.tags.find(halves.low, halves.high);
    return this.#accountOf(holder, slot);
  }

  #walk(
    holder: Holder,
    sender: Account | undefined,
    view: RecordView,
    count: number,
    pages: unknown[],
  ): boolean {
    let at = 0;
    for (let i = 0; i < count; i++) {
      if (at + RECORD_BYTES > STRING_BYTES) return false;
      const next = nextRecord(at, view.stride(at));
      if (next === 0) return false;
      if (view.page(at) === INLINE) this.#sendInline(holder, sender, view, at);
      else this.#takePage(holder, sender, view, at, pages);
      at = next;
    }
    return true;
  }

  /**
   * A page's first record in a message gives it back, and with it all of its
   * frames; that one and those behind it may send what lies in them, each frame
   * once.
   */
  #takePage(
    holder: Holder,
    sender: Account | undefined,
    view: RecordView,
    at: number,
    pages: unknown[],
  ): void {
    const first = view.frame(at);
    const page = pages[view.page(at)];
    if (page !== undefined) {
      if (!this.#accept(holder, first, page)) return;
      pages[view.page(at)] = undefined;
    }
    const start = view.start(at);
    const { ledger } = this.#parts;
    const frame = ledger.pagesOf(first) > 1
      ? first
      : first + (start >>> PAGE_SHIFT);
    if (!this.#returned.has(frame)) {
      holder.strike("forged-page");
      return;
    }
    this.#returned.take(frame);
    const length = view.length(at);
    const within = start - (frame - first) * PAGE_BYTES;
    const size = ledger.pagesOf(frame);
    // A packet starts in its extent's first page: so its frame is told from its place.
    const room = within < PAGE_BYTES ? size * PAGE_BYTES - within : 0;
    const wish = wishOf(view.offload(at));
    if (length > 0 && this.#maySend(holder, sender, length, room, size, wish)) {
      this.#stage(sender!, frameOffset(frame) + within, length, wish);
    } else {
      ledger.putIdle(frame);
    }
  }

  /** Takes back what was lent from `frame` on, if `page` is that; a strike otherwise. */
  #accept(holder: Holder, frame: number, page: unknown): boolean {
    const { ledger, accounts, driver } = this.#parts;
    const lender = accounts[ledger.lentTo(frame)];
    const pages = lender?.holder === holder
      ? driver.pages.accept(frame, page)
      : 0;
    if (pages === 0) {
      holder.strike("forged-page");
      return false;
    }
    ledger.takeBack(frame, pages);
    this.#returned.add(frame, pages, ledger.pagesOf(frame));
    lender!.pages.release(pages);
    if (!lender!.live && lender!.pages.held === 0) {
      this.#parts.onDrained(lender!);
    }
    return true;
  }

  #sendInline(
    holder: Holder,
    sender: Account | undefined,
    view: RecordView,
    at: number,
  ): void {
    const length = view.length(at);
    const start = view.start(at);
    if (length === 0) return;
    const wish = wishOf(view.offload(at));
    const pages = length > PAGE_BYTES - HEADROOM_BYTES ? EXTENT_PAGES : 1;
    if (
      start < RECORD_BYTES ||
      !this.#maySend(
        holder,
        sender,
        length,
        view.stride(at) - start,
        pages,
        wish,
      )
    ) {
      return;
    }
    const { ledger, memory } = this.#parts;
    const frame = pages === 1 ? ledger.takeIdle() : ledger.takeIdleExtent();
    if (frame === NO_FRAME) {
      sender!.drops.add("send-no-frame");
      return;
    }
    const offset = frameOffset(frame) + HEADROOM_BYTES;
    memory.bytes.set(
      view.bytes.subarray(at + start, at + start + length),
      offset,
    );
    this.#stage(sender!, offset, length, wish);
  }

  /** Whether a frame's shape and its sender's rights allow it to be staged; counted when not. */
  #maySend(
    holder: Holder,
    sender: Account | undefined,
    length: number,
    room: number,
    pages: number,
    wish: number,
  ): boolean {
    if (sender === undefined) return false;
    const most = segmentBytesOf(wish) > 0
      ? SUPER_BYTES_MAX
      : this.#wireBytesMax;
    const longest = Math.min(most, room);
    if (length < FRAME_BYTES_MIN || length > longest) {
      holder.strike("malformed-frame");
      return false;
    }
    if (!hasRights(sender.spec.rights, RIGHT_SEND)) {
      sender.drops.add("send-no-right");
      return false;
    }
    // A page that came back is nobody's by now, and its sender's next.
    if (!sender.pages.mayHold(this.#stagedPages + pages)) {
      sender.drops.add("send-no-page");
      return false;
    }
    return true;
  }

  #stage(
    sender: Account,
    offset: number,
    length: number,
    wish: number,
  ): void {
    const { batch } = this.#parts;
    batch.offset[this.#staged] = offset;
    batch.length[this.#staged] = length;
    batch.offload[this.#staged] = wish;
    this.#staged++;
    this.#stagedPages += this.#parts.ledger.pagesOf(frameAt(offset));
    if (this.#staged === BATCH_MAX) this.#flush(sender);
  }

  /** Sends what is staged and permitted; every staged frame is in flight or idle afterwards. */
  #flush(sender: Account): void {
    if (this.#staged === 0) return;
    const { batch, classifier, ledger, outlet, turn } = this.#parts;
    const slot = sender.spec.slot;
    const meter = sender.meters?.sent;
    classifier.permit(batch, this.#staged, slot);
    for (let i = 0; i < this.#staged; i++) {
      const offset = batch.offset[i]!;
      const length = batch.length[i]!;
      if (batch.slot[i] !== slot) {
        sender.drops.add("send-not-permitted");
        ledger.putIdle(frameAt(offset));
        continue;
      }
      if (meter !== undefined) {
        if (!meter.admits(length, turn.nowMs)) {
          sender.drops.add("send-rate-limit");
          ledger.putIdle(frameAt(offset));
          continue;
        }
        meter.charge(length);
      }
      const wish = batch.offload[i]!;
      if (wish === 0) outlet.put(sender, offset, length);
      else outlet.finish(sender, offset, length, segmentBytesOf(wish));
    }
    outlet.flush(sender);
    this.#staged = 0;
    this.#stagedPages = 0;
  }
}

/** What the sender of a packet asks to have done: all that is taken from its `offload`. */
function wishOf(offload: number): number {
  if (offload === 0) return 0;
  const segmentBytes = segmentBytesOf(offload);
  return checksumOf(offload) === CHECKSUM_PARTIAL || segmentBytes > 0
    ? offloadWord(CHECKSUM_PARTIAL, GSO_NONE, segmentBytes)
    : 0;
}
