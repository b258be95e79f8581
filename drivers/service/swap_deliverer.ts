/** Delivery by page: a large packet stays where it is, and its page goes to the holder, at the cost of its quota. */

import {
  frameAt,
  frameOffset,
  type PacketMemory,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import type { PageLedger } from "../../caps/memory/page_ledger.ts";
import { RECORD_BYTES } from "../../caps/port/records.ts";
import type { Account } from "./account.ts";
import type { OpenStrings } from "./open_strings.ts";

/** Lends the pages of packets to holders. */
export class SwapDeliverer {
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #ledger: PageLedger;
  readonly #strings: OpenStrings;

  constructor(memory: PacketMemory, ledger: PageLedger, strings: OpenStrings) {
    this.#bytes = memory.bytes;
    this.#ledger = ledger;
    this.#strings = strings;
  }

  /**
   * Hands the packet over in its page: its frame, or extent, is lent afterwards.
   * Returns false when it was dropped, which is counted: then the frame is idle.
   */
  hand(
    account: Account,
    offset: number,
    length: number,
    offload: number,
  ): boolean {
    const frame = frameAt(offset);
    const pages = this.#ledger.pagesOf(frame);
    if (!account.pages.mayHold(pages)) {
      account.drops.add("no-page");
      this.#ledger.putIdle(frame);
      return false;
    }
    if (!this.#strings.room(account, RECORD_BYTES)) {
      this.#ledger.putIdle(frame);
      return false;
    }
    this.#clean(frame, pages, offset, length);
    const { holder, spec: { slot } } = account;
    const { open, open: { runs, writer } } = holder;
    this.#ledger.lend(frame, slot, pages);
    account.pages.hold(pages);
    const run = runs.add(frame, pages, slot, holder.limits.runPagesMax);
    const first = runs.frame(run);
    const start = offset - frameOffset(first);
    writer.addPage(open.placeOf(account), length, first, start, run, offload);
    account.countDelivered(length);
    return true;
  }

  /** A NIC writes only the packet's bytes: what an earlier holder left around them is wiped out. */
  #clean(frame: number, pages: number, offset: number, length: number): void {
    const start = frameOffset(frame);
    this.#bytes.fill(0, start, offset);
    this.#bytes.fill(0, offset + length, start + pages * PAGE_BYTES);
  }
}
