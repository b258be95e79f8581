/**
 * The byte strings that are being filled: one for each holder that packets of
 * this batch went to, posted at its end.
 */

import type { PageLedger } from "../../caps/memory/page_ledger.ts";
import { RecordWalk } from "../../caps/port/record_walk.ts";
import { postRecords } from "../../caps/port/records.ts";
import type { PageExchange } from "../driver.ts";
import type { Account } from "./account.ts";
import type { AccountTable } from "./account_table.ts";
import type { FrameRuns } from "./frame_runs.ts";
import type { Holder } from "./holder.ts";

/** Begins byte strings, and posts them. */
export class OpenStrings {
  readonly #ledger: PageLedger;
  readonly #exchange: PageExchange;
  readonly #table: AccountTable;
  /** Holders with a byte string begun. */
  readonly #begun: Holder[] = [];

  constructor(
    ledger: PageLedger,
    exchange: PageExchange,
    table: AccountTable,
  ) {
    this.#ledger = ledger;
    this.#exchange = exchange;
    this.#table = table;
  }

  /** Makes room for `sizeBytes` in a byte string of the holder's; false, counted on the account, when there is none. */
  room(account: Account, sizeBytes: number): boolean {
    const { holder, holder: { open } } = account;
    if (open.writer.fits(sizeBytes)) return true;
    if (holder.port.full === true) {
      account.drops.add("pipe-full");
      return false;
    }
    if (open.begun) this.post(holder);
    else this.#begun.push(holder);
    const string = holder.strings.pop();
    if (string === undefined) {
      account.drops.add("no-string");
      return false;
    }
    open.begin(string);
    return true;
  }

  /**
   * Posts all; but the last byte string of a holder that is behind stays here
   * and gathers, until another one has come back.
   */
  flush(): void {
    const begun = this.#begun;
    let kept = 0;
    for (let i = 0; i < begun.length; i++) {
      const holder = begun[i]!;
      if (!holder.open.begun) continue;
      if (holder.behind) begun[kept++] = holder;
      else this.post(holder);
    }
    begun.length = kept;
  }

  /** Posts the holder's byte string, if one is begun. */
  post(holder: Holder): void {
    const { open, open: { runs, writer } } = holder;
    if (!open.begun) return;
    const pages = runs.count === 0 ? [] : this.#lend(runs);
    const delivery = writer.take(pages);
    if (!postRecords(holder.port, delivery)) {
      for (let i = 0; i < runs.count; i++) {
        this.#exchange.accept(runs.frame(i), pages[i]);
      }
      this.#takeBack(holder, delivery.records, delivery.count);
    }
    open.end();
  }

  /** Takes back the byte string of a holder that was terminated. */
  withdraw(holder: Holder): void {
    const { open, open: { writer } } = holder;
    if (!open.begun) return;
    const { count } = writer;
    this.#takeBack(holder, writer.drop(), count);
  }

  #lend(runs: FrameRuns): ArrayBuffer[] {
    const pages: ArrayBuffer[] = [];
    for (let i = 0; i < runs.count; i++) {
      pages.push(this.#exchange.lend(runs.frame(i), runs.pages(i)));
    }
    return pages;
  }

  /** Counts the packets that were not posted, and has their pages idle again: they were never lent. */
  #takeBack(holder: Holder, records: ArrayBuffer, count: number): void {
    const { runs, slots } = holder.open;
    const { accounts } = this.#table;
    for (let i = 0; i < runs.count; i++) {
      const pages = runs.pages(i);
      this.#ledger.takeBackIdle(runs.frame(i), pages);
      accounts[runs.slot(i)]!.pages.release(pages);
    }
    const walk = new RecordWalk(records, count);
    while (walk.next()) {
      const slot = slots[walk.view.capability(walk.at)]!;
      accounts[slot]!.drops.add("port-closed");
    }
  }
}
