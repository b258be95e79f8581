/**
 * Delivery to a holder in the driver's own thread: its code is called with the
 * packet where it lies, and what it makes of it is sent from there.
 */

import type { Frame } from "../../caps/port/frame.ts";
import {
  frameAt,
  frameOffset,
  type PacketMemory,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import type { PageLedger } from "../../caps/memory/page_ledger.ts";
import type { Account } from "./account.ts";
import type { AccountTable } from "./account_table.ts";
import type { DirectCall } from "./direct_call.ts";
import { type SendBatch, wishOf } from "./send_batch.ts";

export interface DirectParts {
  readonly memory: PacketMemory;
  readonly ledger: PageLedger;
  readonly table: AccountTable;
  /** Sends what may be sent. */
  readonly sends: SendBatch;
  /** Reads the clock: something is to be sent outside of a turn. */
  readonly tick: () => void;
  /** Has the driver service take another turn soon. */
  readonly wake: () => void;
}

/** Calls holders, and sends for them. */
export class DirectDeliverer {
  readonly #parts: DirectParts;
  /** One for all packets: a holder sees it while it is called. */
  readonly #frame: Frame;
  /** Holders that were called in the batch at hand. */
  readonly #begun: DirectCall[] = [];
  /** Holders that wait for room. */
  #waiting: DirectCall[] = [];
  /** Whether what is sent waits for the end of the batch. */
  #inBatch = false;
  /** Whether something was put that waits for {@link flushSent}. */
  #sending = false;

  constructor(parts: DirectParts) {
    this.#parts = parts;
    this.#frame = {
      bytes: parts.memory.bytes,
      start: 0,
      length: 0,
      capacity: 0,
      offload: 0,
    };
  }

  /** Whether a holder waits for room, so that the driver service looks for it soon. */
  get waits(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * Hands a packet over, at the cost of the account's pages while it is handled: its
   * frame is idle, or about to be sent, afterwards. False when it was dropped. The
   * frame is not lent meanwhile, which would be a sixth of the time: it never leaves
   * this thread, and nobody but the holder does anything before that has returned.
   */
  hand(
    account: Account,
    call: DirectCall,
    offset: number,
    length: number,
    offload: number,
  ): boolean {
    const { ledger, table, memory } = this.#parts;
    const frame = frameAt(offset);
    const pages = ledger.pagesOf(frame);
    const { handler } = call;
    if (handler === undefined || !account.pages.mayHold(pages)) {
      account.drops.add(handler === undefined ? "no-core" : "no-page");
      ledger.putIdle(frame);
      return false;
    }
    account.pages.hold(pages);
    account.countDelivered(length);
    if (!call.begun) this.#begin(call);
    const shown = this.#frame;
    // All of it each time: the holder may have left anything there.
    shown.bytes = memory.bytes;
    shown.start = offset;
    shown.length = length;
    shown.capacity = frameOffset(frame) + pages * PAGE_BYTES - offset;
    shown.offload = offload;
    const replies = handler.receive(shown);
    table.release(account, pages);
    if (replies) this.#reply(account, frame, pages);
    else ledger.putIdle(frame);
    return true;
  }

  #begin(call: DirectCall): void {
    call.begun = true;
    this.#inBatch = true;
    this.#begun.push(call);
  }

  /** Sends the packet that a holder has left in `frame`, if what it says of it can be. */
  #reply(account: Account, frame: number, pages: number): void {
    const { ledger, sends } = this.#parts;
    // Whatever the holder put there, these are numbers from here on.
    const start = this.#frame.start >>> 0;
    const length = this.#frame.length >>> 0;
    const wish = wishOf(this.#frame.offload >>> 0);
    if (length === 0) return ledger.putIdle(frame);
    const within = start - frameOffset(frame);
    // A packet starts in its extent's first page: so its frame is told from its place.
    const room = within >= 0 && within < PAGE_BYTES
      ? pages * PAGE_BYTES - within
      : 0;
    if (sends.admits(account.holder, account, length, room, pages, wish)) {
      sends.put(account, start, length, wish);
    } else ledger.putIdle(frame);
  }

  /** Ends a batch: each holder that was called is told, and one that waits where there is room; then all leaves that they sent. */
  flush(): void {
    const begun = this.#begun;
    if (begun.length === 0 && !this.waits) return;
    this.#inBatch = true;
    for (let i = 0; i < begun.length; i++) {
      begun[i]!.begun = false;
      begun[i]!.handler?.endOfBatch();
    }
    begun.length = 0;
    if (this.waits) this.#tellRoom();
    this.#inBatch = false;
    this.#sending = false;
    this.#parts.sends.flush();
  }

  #tellRoom(): void {
    const waiting = this.#waiting;
    // What is refused again waits again.
    this.#waiting = [];
    for (const call of waiting) {
      call.waits = false;
      if (call.handler === undefined) continue;
      if (call.sender?.hasRoom === true) call.handler.onRoom();
      else this.wait(call);
    }
  }

  /** A holder was refused a frame: tells it when there is room. */
  wait(call: DirectCall): void {
    if (call.waits) return;
    call.waits = true;
    this.#waiting.push(call);
  }

  /** A holder is about to send of its own accord. */
  beginSending(): void {
    if (this.#sending || this.#inBatch) return;
    this.#sending = true;
    this.#parts.tick();
  }

  /** Has everything leave that was sent outside of a batch. */
  flushSent(): void {
    if (this.#inBatch) return;
    if (this.#sending) {
      this.#sending = false;
      this.#parts.sends.flush();
    } else if (!this.waits) return;
    this.#parts.wake();
  }
}
