/** Delivery to a holder that is trusted with packet memory: a descriptor a packet, and nothing is copied or moved. */

import { frameAt } from "../../caps/memory/memory.ts";
import type { PageLedger } from "../../caps/memory/page_ledger.ts";
import { DOORBELL, RING_ENTRIES } from "../../caps/port/trusted_ring.ts";
import type { Holder } from "./holder.ts";
import type { Account } from "./account.ts";
import type { TrustedRingPair } from "./trusted_rings.ts";

/** Hands packets to trusted holders. */
export class TrustedDeliverer {
  readonly #ledger: PageLedger;
  /** Holders with something to publish. */
  readonly #begun: Holder[] = [];

  constructor(ledger: PageLedger) {
    this.#ledger = ledger;
  }

  /** Hands a packet over, at the cost of the account's pages: its frame is lent or idle afterwards. False when it was dropped. */
  hand(
    account: Account,
    side: TrustedRingPair,
    offset: number,
    length: number,
    offload: number,
  ): boolean {
    const frame = frameAt(offset);
    const pages = this.#ledger.pagesOf(frame);
    if (side.out === RING_ENTRIES || !account.pages.mayHold(pages)) {
      account.drops.add("no-page");
      this.#ledger.putIdle(frame);
      return false;
    }
    const { slot } = account.spec;
    this.#ledger.lend(frame, slot, pages);
    account.pages.hold(pages);
    side.deliveries.put(offset, length, slot, offload);
    side.out++;
    account.countDelivered(length);
    if (!side.begun) {
      side.begun = true;
      this.#begun.push(account.holder);
    }
    return true;
  }

  /** Shows the holders what was handed over, and wakes those that sleep. */
  flush(): void {
    const begun = this.#begun;
    for (let i = 0; i < begun.length; i++) {
      const { port, trusted } = begun[i]!;
      trusted!.begun = false;
      if (trusted!.deliveries.publish()) port.post(DOORBELL);
    }
    begun.length = 0;
  }
}
