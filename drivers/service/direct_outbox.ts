/** What a holder in the driver's own thread sends by: frames of packet memory, charged to its capability. */

import {
  EXTENT_PAGES,
  frameOffset,
  HEADROOM_BYTES,
  type PacketMemory,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import { tagOf } from "../../caps/kernel/tag.ts";
import { NO_FRAME, type PageLedger } from "../../caps/memory/page_ledger.ts";
import { type Frame, OpenFrame } from "../../caps/port/frame.ts";
import type { DirectEnd, DirectHandler } from "../../caps/port/direct_end.ts";
import { INLINE_BYTES_MAX } from "../../caps/port/records.ts";
import type { Account } from "./account.ts";
import type { AccountTable } from "./account_table.ts";
import type { DirectCall, DirectSender } from "./direct_call.ts";
import type { DirectDeliverer } from "./direct_deliverer.ts";
import type { Holder } from "./holder.ts";
import { type SendBatch, wishOf } from "./send_batch.ts";

/** Bytes of a packet that lies in one page. */
const IN_PAGE_MAX = PAGE_BYTES - HEADROOM_BYTES;

export interface DirectOutboxParts {
  readonly memory: PacketMemory;
  readonly ledger: PageLedger;
  readonly table: AccountTable;
  readonly sends: SendBatch;
  readonly deliverer: DirectDeliverer;
  /** Takes back the frames that the NIC has sent. */
  readonly reclaim: () => void;
}

/** The end of one such holder. */
export class DirectOutbox implements DirectEnd, DirectSender {
  readonly #holder: Holder;
  readonly #call: DirectCall;
  readonly #parts: DirectOutboxParts;
  /** The tag of the capability that is presented. */
  #tag: ReturnType<typeof tagOf>;
  /** Whose that is, once it was looked up. */
  #account: Account | undefined;
  readonly #frame = new OpenFrame();
  /** Number of the frame that is open; {@link NO_FRAME} when none is. */
  #opened = NO_FRAME;
  /** Pages that were refused last. */
  #wanted = 1;
  #closed = false;

  /** For `holder`, which is called as `call`. */
  constructor(holder: Holder, call: DirectCall, parts: DirectOutboxParts) {
    this.#holder = holder;
    this.#call = call;
    this.#parts = parts;
  }

  serve(handler: DirectHandler | undefined): void {
    if (this.#closed) return;
    this.#call.handler = handler;
    if (handler === undefined) this.#takeBack();
  }

  present(capability: bigint): void {
    this.#tag = tagOf(capability);
    this.#account = undefined;
  }

  open(sizeBytes: number): Frame | undefined {
    this.#takeBack();
    sizeBytes >>>= 0;
    const sender = this.#sender;
    if (sizeBytes > INLINE_BYTES_MAX || sender === undefined) return undefined;
    const { deliverer, memory, reclaim } = this.#parts;
    const pages = sizeBytes > IN_PAGE_MAX ? EXTENT_PAGES : 1;
    let frame = this.#takeIdle(sender, pages);
    if (frame === NO_FRAME) {
      reclaim();
      frame = this.#takeIdle(sender, pages);
    }
    if (frame === NO_FRAME) {
      this.#wanted = pages;
      deliverer.wait(this.#call);
      return undefined;
    }
    const start = frameOffset(frame) + HEADROOM_BYTES;
    // What somebody else's packet left there is not to leave with this one.
    memory.bytes.fill(0, start, start + sizeBytes);
    this.#opened = frame;
    return this.#frame.open(memory.bytes, start, sizeBytes);
  }

  send(): void {
    const opened = this.#frame;
    opened.send();
    const frame = this.#opened;
    const { length, capacity } = opened;
    const wish = wishOf(opened.offload);
    const { ledger, sends, deliverer } = this.#parts;
    const sender = this.#sender;
    const pages = ledger.pagesOf(frame);
    this.#opened = NO_FRAME;
    if (
      length > 0 &&
      sends.admits(this.#holder, sender, length, capacity, pages, wish)
    ) {
      deliverer.beginSending();
      const start = frameOffset(frame) + HEADROOM_BYTES;
      sends.put(sender, start, length, wish);
    } else ledger.putIdle(frame);
  }

  flush(): void {
    this.#takeBack();
    this.#parts.deliverer.flushSent();
  }

  get hasRoom(): boolean {
    const sender = this.#sender;
    if (sender === undefined || !sender.pages.mayHold(this.#wanted)) {
      return false;
    }
    const { idleCount, idleExtentCount } = this.#parts.ledger;
    return (this.#wanted === 1 ? idleCount : idleExtentCount) > 0;
  }

  close(): void {
    this.serve(undefined);
    this.#closed = true;
    this.#tag = undefined;
    this.#account = undefined;
  }

  /** The live account of the capability that is presented. */
  get #sender(): Account | undefined {
    if (this.#account?.live) return this.#account;
    const tag = this.#tag;
    if (tag === undefined) return undefined;
    const { table } = this.#parts;
    const slot = table.tags.find(tag.low, tag.high);
    this.#account = table.liveAccount(this.#holder, slot);
    return this.#account;
  }

  #takeIdle(sender: Account, pages: number): number {
    const { ledger } = this.#parts;
    if (!sender.pages.mayHold(pages)) return NO_FRAME;
    return pages === 1 ? ledger.takeIdle() : ledger.takeIdleExtent();
  }

  /** Takes back what was opened and not sent. */
  #takeBack(): void {
    if (this.#opened === NO_FRAME) return;
    this.#frame.close();
    this.#parts.ledger.putIdle(this.#opened);
    this.#opened = NO_FRAME;
  }
}
