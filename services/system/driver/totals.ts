/** What a NIC's driver services have counted, one after the other: a restart does not begin at zero. */

import { addCounts } from "../../../caps/driver/accounts.ts";
import type {
  AccountCounts,
  DriverCounts,
  EndedCounts,
} from "../../../caps/driver/messages.ts";
import type { PortId } from "../../../caps/kernel/kernel.ts";

/** Holders of earlier drivers of which a sum is kept at most; then the first are forgotten. */
const HOLDERS_MAX = 1024;

/** Adds up the counts of drivers that crashed, as they were seen last. */
export class DriverTotals {
  #before: DriverCounts | undefined;
  #last: DriverCounts | undefined;

  /** The counts of the driver that runs. Returns them with those before it. */
  see(counts: DriverCounts): DriverCounts {
    this.#last = this.#before === undefined
      ? counts
      : plus(this.#before, counts);
    return this.#last;
  }

  /** Records that the driver crashed: what it counted since it was seen last is unknown. */
  crashed(): void {
    if (this.#last !== undefined) this.#last = over(this.#last);
    this.#before = this.#last;
  }

  /** The counts seen last; those of a driver that has crashed without live capabilities. */
  get last(): DriverCounts | undefined {
    return this.#last;
  }
}

function plus(before: DriverCounts, now: DriverCounts): DriverCounts {
  return {
    ...now,
    receivedPackets: before.receivedPackets + now.receivedPackets,
    receivedBytes: before.receivedBytes + now.receivedBytes,
    sentPackets: before.sentPackets + now.sentPackets,
    sentBytes: before.sentBytes + now.sentBytes,
    unclaimedPackets: before.unclaimedPackets + now.unclaimedPackets,
    counters: addCounts([before.counters, now.counters]),
    endedAccounts: [...before.endedAccounts, ...now.endedAccounts],
  };
}

/** Counts once no capability lives any more. */
function over(counts: DriverCounts): DriverCounts {
  const sums = new Map<PortId, EndedCounts>();
  const live = counts.accounts.map(onceEnded);
  for (const ended of [...counts.endedAccounts, ...live]) {
    const sum = sums.get(ended.port);
    sums.set(ended.port, sum === undefined ? ended : bothEnded(sum, ended));
  }
  const endedAccounts = [...sums.values()].slice(-HOLDERS_MAX);
  return { ...counts, accounts: [], endedAccounts };
}

/** Counts of a capability once it is revoked. */
export function onceEnded(
  { slot: _slot, heldPages: _held, quotaPages: _quota, ...counts }:
    AccountCounts,
): EndedCounts {
  return { ...counts, accounts: 1 };
}

/** What two capabilities, or two sums of them, counted together; the first one's holder. */
export function bothEnded(a: EndedCounts, b: EndedCounts): EndedCounts {
  return {
    port: a.port,
    accounts: a.accounts + b.accounts,
    deliveredPackets: a.deliveredPackets + b.deliveredPackets,
    deliveredBytes: a.deliveredBytes + b.deliveredBytes,
    sentPackets: a.sentPackets + b.sentPackets,
    sentBytes: a.sentBytes + b.sentBytes,
    drops: addCounts([a.drops, b.drops]),
  };
}
