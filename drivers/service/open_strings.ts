/**
 * The byte strings that are being filled: one for each capability that packets
 * of this batch went to, posted at its end.
 */

import type { PageLedger } from "../../caps/memory/page_ledger.ts";
import { postRecords } from "../../caps/port/records.ts";
import type { PageExchange } from "../driver.ts";
import type { Account } from "./account.ts";
import type { FrameRuns } from "./frame_runs.ts";

/** Begins byte strings, and posts them. */
export class OpenStrings {
  readonly #ledger: PageLedger;
  readonly #exchange: PageExchange;
  /** Accounts with a byte string begun. */
  readonly #begun: Account[] = [];

  constructor(ledger: PageLedger, exchange: PageExchange) {
    this.#ledger = ledger;
    this.#exchange = exchange;
  }

  /** Makes room for `sizeBytes` in a byte string of the account's; false, counted, when there is none. */
  room(account: Account, sizeBytes: number): boolean {
    const { writer } = account;
    if (writer.fits(sizeBytes)) return true;
    if (writer.view === undefined) this.#begun.push(account);
    else this.post(account);
    if (account.begin()) return true;
    account.drops.add("no-string");
    return false;
  }

  /**
   * Posts all; but the last byte string of a holder that is behind stays here
   * and gathers, until another one has come back.
   */
  flush(): void {
    const begun = this.#begun;
    let kept = 0;
    for (let i = 0; i < begun.length; i++) {
      const account = begun[i]!;
      if (account.writer.view === undefined) continue;
      if (account.holder.behind) begun[kept++] = account;
      else this.post(account);
    }
    begun.length = kept;
  }

  /** Posts the account's byte string, if one is begun. */
  post(account: Account): void {
    const { runs, writer } = account;
    if (writer.view === undefined) return;
    const { count } = writer;
    const pages = runs.count === 0 ? [] : this.#lend(runs);
    const delivery = writer.take(account.capability, pages);
    if (!postRecords(account.holder.port, delivery)) {
      for (let i = 0; i < runs.count; i++) {
        this.#exchange.accept(runs.frame(i), pages[i]);
      }
      this.#takeBack(account, count);
    }
    account.endString();
  }

  /** Takes back the byte string of an account whose holder was terminated. */
  withdraw(account: Account): void {
    if (account.writer.view === undefined) return;
    this.#takeBack(account, account.writer.count);
    account.endString();
  }

  #lend(runs: FrameRuns): ArrayBuffer[] {
    const pages: ArrayBuffer[] = [];
    for (let i = 0; i < runs.count; i++) {
      pages.push(this.#exchange.lend(runs.frame(i), runs.pages(i)));
    }
    return pages;
  }

  /** Has the pages of `count` packets that were not posted idle again: they were never lent. */
  #takeBack(account: Account, count: number): void {
    const { runs } = account;
    for (let i = 0; i < runs.count; i++) {
      const pages = runs.pages(i);
      this.#ledger.takeBackIdle(runs.frame(i), pages);
      account.pages.release(pages);
    }
    account.drops.add("port-closed", count);
  }
}
