/** Counts of revoked capabilities: one sum for each holder, kept when the holder is terminated. */

import { Tally } from "../../caps/driver/accounts.ts";
import type { EndedCounts } from "../../caps/driver/messages.ts";
import type { PortId } from "../../caps/kernel/kernel.ts";
import type { Account } from "./account.ts";

/** Holders of which a sum is kept at most; then the first are forgotten. */
const HOLDERS_MAX = 1024;

class Sum {
  accounts = 0;
  deliveredPackets = 0;
  deliveredBytes = 0;
  sentPackets = 0;
  sentBytes = 0;
  readonly drops = new Tally();

  add(account: Account): void {
    this.accounts++;
    this.deliveredPackets += account.deliveredPackets;
    this.deliveredBytes += account.deliveredBytes;
    this.sentPackets += account.sentPackets;
    this.sentBytes += account.sentBytes;
    this.drops.addAll(account.drops);
  }
}

/** The sums of all holders. */
export class EndedAccounts {
  readonly #sums = new Map<PortId, Sum>();

  /** Adds an account that counts nothing more. */
  add(account: Account): void {
    const port = account.holder.id;
    const sum = this.#sums.get(port) ?? new Sum();
    sum.add(account);
    this.#sums.set(port, sum);
    if (this.#sums.size <= HOLDERS_MAX) return;
    const [oldest] = this.#sums.keys();
    this.#sums.delete(oldest!);
  }

  /** The sums, the holder whose first capability was revoked first at the front. */
  counts(): EndedCounts[] {
    return [...this.#sums].map(([port, { drops, ...sum }]) => ({
      port,
      ...sum,
      drops: drops.snapshot(),
    }));
  }
}
