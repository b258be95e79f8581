/** Returns of trusted holders: each ring entry gives a frame back, and may have it sent first. */

import { frameAt, frameOffset, PAGE_BYTES } from "../../caps/memory/memory.ts";
import type { PageLedger } from "../../caps/memory/page_ledger.ts";
import { RING_ENTRIES } from "../../caps/port/trusted_ring.ts";
import type { Account } from "./account.ts";
import type { AccountTable } from "./account_table.ts";
import type { Holder } from "./holder.ts";
import { type SendBatch, wishOf } from "./send_batch.ts";
import type { TrustedRingPair } from "./trusted_rings.ts";

export interface ReturnParts {
  readonly ledger: PageLedger;
  readonly table: AccountTable;
  /** Sends what may be sent. */
  readonly sends: SendBatch;
}

/** Takes what trusted holders give back. */
export class TrustedReturns {
  readonly #parts: ReturnParts;

  constructor(parts: ReturnParts) {
    this.#parts = parts;
  }

  /**
   * Takes what `holder` has put in its ring; every frame of it is in flight or
   * idle afterwards. Returns how many entries it read.
   */
  take(holder: Holder, { returns }: TrustedRingPair): number {
    const { table, sends } = this.#parts;
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
        sender = table.liveAccount(holder, slot);
      }
      this.#takeFrame(holder, sender, offset, length, offload);
    }
    sends.flush();
    return count;
  }

  #takeFrame(
    holder: Holder,
    sender: Account | undefined,
    offset: number,
    length: number,
    offload: number,
  ): void {
    const { ledger, table, sends } = this.#parts;
    const frame = frameAt(offset);
    const lender = table.accounts[ledger.lentTo(frame)];
    if (lender?.holder !== holder || !ledger.isFirst(frame)) {
      holder.strike("forged-page");
      return;
    }
    const pages = ledger.pagesOf(frame);
    holder.trusted!.out--;
    ledger.takeBack(frame, pages);
    table.release(lender, pages);
    if (length === 0) return ledger.putIdle(frame);
    if (sender === undefined) holder.strikeVoid();
    const room = pages * PAGE_BYTES - (offset - frameOffset(frame));
    const wish = wishOf(offload);
    if (sends.admits(holder, sender, length, room, pages, wish)) {
      sends.put(sender, offset, length, wish);
    } else ledger.putIdle(frame);
  }
}
