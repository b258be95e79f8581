/**
 * Submissions: the messages that holders send back. Nothing in one is believed:
 * a page is taken only if it is the very one that was lent to this very holder,
 * and what it names to be sent goes through the send batch's checks.
 */

import {
  EXTENT_PAGES,
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
import { isSubmission, nextRecord } from "../../caps/port/submission.ts";
import { tagOf } from "../../caps/kernel/tag.ts";
import type { PageExchange } from "../driver.ts";
import type { Account } from "./account.ts";
import type { AccountTable } from "./account_table.ts";
import type { Holder } from "./holder.ts";
import { ReturnedPages } from "./returned_pages.ts";
import { type SendBatch, wishOf } from "./send_batch.ts";

export interface SubmissionParts {
  readonly memory: PacketMemory;
  readonly ledger: PageLedger;
  /** Takes pages back. */
  readonly exchange: PageExchange;
  readonly table: AccountTable;
  /** Sends what may be sent. */
  readonly sends: SendBatch;
}

/** Takes what holders send. */
export class Submitter {
  readonly #parts: SubmissionParts;
  /** The pages that the message at hand gave back. */
  readonly #returned: ReturnedPages;
  /** Whom the capabilities of the message at hand name, by place. */
  readonly #senders: (Account | undefined)[] = [];

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
    const { capabilities, records, count, pages } = message;
    this.#presentAll(holder, capabilities);
    if (!this.#walk(holder, new RecordView(records), count, pages)) {
      holder.strike("malformed-record");
    }
    this.#parts.sends.flush();
    this.#returned.putIdle(this.#parts.ledger);
    holder.returnString(records);
  }

  /** Looks up whom each of `tags` names in this holder's table; what names nobody there is void. */
  #presentAll(holder: Holder, tags: readonly unknown[]): void {
    const senders = this.#senders;
    senders.length = 0;
    for (let i = 0; i < tags.length; i++) {
      const sender = this.#present(holder, tags[i]);
      if (sender === undefined) holder.strikeVoid();
      senders.push(sender);
    }
  }

  /** The live account that `tag` names in this holder's table. */
  #present(holder: Holder, tag: unknown): Account | undefined {
    const halves = tagOf(tag);
    if (halves === undefined) return undefined;
    const { table } = this.#parts;
    return table.liveAccount(holder, table.tags.find(halves.low, halves.high));
  }

  /** Who sends the packet of the record at `at`; a strike when the message has no such capability. */
  #senderOf(
    holder: Holder,
    view: RecordView,
    at: number,
  ): Account | undefined {
    const place = view.capability(at);
    if (place >= this.#senders.length) holder.strike("malformed-record");
    return this.#senders[place];
  }

  #walk(
    holder: Holder,
    view: RecordView,
    count: number,
    pages: unknown[],
  ): boolean {
    let at = 0;
    for (let i = 0; i < count; i++) {
      if (at + RECORD_BYTES > STRING_BYTES) return false;
      const next = nextRecord(at, view.stride(at));
      if (next === 0) return false;
      if (view.page(at) === INLINE) this.#sendInline(holder, view, at);
      else this.#takePage(holder, view, at, pages);
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
    const { ledger, sends } = this.#parts;
    const frame = ledger.pagesOf(first) > 1
      ? first
      : first + (start >>> PAGE_SHIFT);
    if (!this.#returned.has(frame)) {
      holder.strike("forged-page");
      return;
    }
    this.#returned.take(frame);
    const length = view.length(at);
    if (length === 0) return ledger.putIdle(frame);
    const within = start - (frame - first) * PAGE_BYTES;
    const size = ledger.pagesOf(frame);
    // A packet starts in its extent's first page: so its frame is told from its place.
    const room = within < PAGE_BYTES ? size * PAGE_BYTES - within : 0;
    const wish = wishOf(view.offload(at));
    const sender = this.#senderOf(holder, view, at);
    if (sends.admits(holder, sender, length, room, size, wish)) {
      sends.put(sender, frameOffset(frame) + within, length, wish);
    } else {
      ledger.putIdle(frame);
    }
  }

  /** Takes back what was lent from `frame` on, if `page` is that; a strike otherwise. */
  #accept(holder: Holder, frame: number, page: unknown): boolean {
    const { ledger, table, exchange } = this.#parts;
    const lender = table.accounts[ledger.lentTo(frame)];
    const pages = lender?.holder === holder ? exchange.accept(frame, page) : 0;
    if (pages === 0) {
      holder.strike("forged-page");
      return false;
    }
    ledger.takeBack(frame, pages);
    this.#returned.add(frame, pages, ledger.pagesOf(frame));
    table.release(lender!, pages);
    return true;
  }

  #sendInline(holder: Holder, view: RecordView, at: number): void {
    const length = view.length(at);
    const start = view.start(at);
    if (length === 0) return;
    const wish = wishOf(view.offload(at));
    const pages = length > PAGE_BYTES - HEADROOM_BYTES ? EXTENT_PAGES : 1;
    // A record's own header is no part of a frame.
    const room = start < RECORD_BYTES ? 0 : view.stride(at) - start;
    const { ledger, memory, sends } = this.#parts;
    const sender = this.#senderOf(holder, view, at);
    if (!sends.admits(holder, sender, length, room, pages, wish)) return;
    const frame = pages === 1 ? ledger.takeIdle() : ledger.takeIdleExtent();
    if (frame === NO_FRAME) {
      sender.drops.add("send-no-frame");
      return;
    }
    const from = at + start;
    const offset = frameOffset(frame) + HEADROOM_BYTES;
    memory.bytes.set(view.bytes.subarray(from, from + length), offset);
    sends.put(sender, offset, length, wish);
  }
}
