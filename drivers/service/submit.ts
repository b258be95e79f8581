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
  type PacketMemory,
  PAGE_BYTES,
  PAGE_SHIFT,
} from "../../caps/memory.ts";
import { NO_FRAME, type PageLedger } from "../../caps/page_ledger.ts";
import {
  INLINE,
  RECORD_BYTES,
  RecordView,
  STRING_BYTES,
} from "../../caps/records.ts";
import { hasRights, RIGHT_SEND } from "../../caps/rights.ts";
import { isSubmission, nextRecord } from "../../caps/submission.ts";
import type { TagTable } from "../../caps/tag_table.ts";
import { tagOf } from "../../caps/tag.ts";
import type { Driver } from "../driver.ts";
import type { Classifier } from "./classifier.ts";
import type { Account, Holder } from "./holder.ts";
import type { Turn } from "./meter.ts";
import { ReturnedPages } from "./returned_pages.ts";

/** The shortest Ethernet frame that means anything: its header. */
const FRAME_BYTES_MIN = 14;

/** Where a copied frame is put in its page: the room that XDP keeps in front of packets. */
const HEADROOM_BYTES = 256;

/** What submissions work on. */
export interface SubmissionParts {
  readonly memory: PacketMemory;
  readonly ledger: PageLedger;
  readonly driver: Driver;
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
  /** The pages that the message at hand gave back. */
  readonly #returned: ReturnedPages;
  /** Frames staged in the batch, waiting for the check and the NIC. */
  #staged = 0;
  /** Pages that they are in. */
  #stagedPages = 0;
  sentPackets = 0;
  sentBytes = 0;

  constructor(parts: SubmissionParts) {
    this.#parts = parts;
    this.#returned = new ReturnedPages(parts.memory.frameCount);
  }

  /** Handles one message of `holder`'s: whatever it is, it costs nobody else anything. */
  submit(holder: Holder, message: unknown): void {
    if (!isSubmission(message)) {
      holder.strike("malformed");
      return;
    }
    const { tag, records, count, pages } = message;
    const sender = this.#present(holder, tag);
    if (sender === undefined) holder.strikeVoid();
    if (!this.#walk(holder, sender, new RecordView(records), count, pages)) {
      holder.strike("malformed-record");
    }
    if (sender !== undefined) this.#flush(sender);
    this.#returned.putIdle(this.#parts.ledger);
    holder.returnString(records, tag);
  }

  /** The live account that `tag` names in this holder's table. */
  #present(holder: Holder, tag: unknown): Account | undefined {
    const halves = tagOf(tag);
    if (halves === undefined) return undefined;
    const account =
      this.#parts.accounts[this.#parts.tags.find(halves.low, halves.high)];
    return account?.holder === holder && account.live ? account : undefined;
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
    if (length > 0 && this.#maySend(holder, sender, length, room, size)) {
      this.#stage(sender!, frameOffset(frame) + within, length);
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
    const pages = length > PAGE_BYTES - HEADROOM_BYTES ? EXTENT_PAGES : 1;
    if (
      start < RECORD_BYTES ||
      !this.#maySend(holder, sender, length, view.stride(at) - start, pages)
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
    this.#stage(sender!, offset, length);
  }

  /** Whether a frame's shape and its sender's rights allow it to be staged; counted when not. */
  #maySend(
    holder: Holder,
    sender: Account | undefined,
    length: number,
    room: number,
    pages: number,
  ): boolean {
    if (sender === undefined) return false;
    const longest = Math.min(this.#parts.driver.info.frameBytesMax, room);
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

  #stage(sender: Account, offset: number, length: number): void {
    const { batch } = this.#parts;
    batch.offset[this.#staged] = offset;
    batch.length[this.#staged] = length;
    this.#staged++;
    this.#stagedPages += this.#parts.ledger.pagesOf(frameAt(offset));
    if (this.#staged === BATCH_MAX) this.#flush(sender);
  }

  /** Sends what is staged and permitted; every staged frame is in flight or idle afterwards. */
  #flush(sender: Account): void {
    if (this.#staged === 0) return;
    const { batch, classifier, driver, ledger, turn } = this.#parts;
    const slot = sender.spec.slot;
    const meter = sender.meters?.sent;
    classifier.permit(batch, this.#staged, slot);
    let permitted = 0;
    for (let i = 0; i < this.#staged; i++) {
      const offset = batch.offset[i]!;
      if (batch.slot[i] !== slot) {
        sender.drops.add("send-not-permitted");
        ledger.putIdle(frameAt(offset));
        continue;
      }
      if (meter !== undefined) {
        if (!meter.admits(batch.length[i]!, turn.nowMs)) {
          sender.drops.add("send-rate-limit");
          ledger.putIdle(frameAt(offset));
          continue;
        }
        meter.charge(batch.length[i]!);
      }
      batch.offset[permitted] = offset;
      batch.length[permitted] = batch.length[i]!;
      permitted++;
    }
    const sent = driver.transmit(batch, permitted);
    for (let i = 0; i < permitted; i++) {
      const frame = frameAt(batch.offset[i]!);
      if (i < sent) this.#count(sender, frame, batch.length[i]!);
      else ledger.putIdle(frame);
    }
    if (sent < permitted) sender.drops.add("send-ring-full", permitted - sent);
    this.#staged = 0;
    this.#stagedPages = 0;
  }

  #count(sender: Account, frame: number, length: number): void {
    const { ledger } = this.#parts;
    ledger.send(frame, sender.spec.slot);
    sender.pages.hold(ledger.pagesOf(frame));
    sender.sentPackets++;
    sender.sentBytes += length;
    this.sentPackets++;
    this.sentBytes += length;
  }
}
