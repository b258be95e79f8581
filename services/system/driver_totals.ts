/** What a NIC's driver services have counted, one after the other: a restart does not begin at zero. */

import type { Counts } from "../../caps/accounts.ts";
import type { DriverCounts } from "../../caps/driver_protocol.ts";

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

  /** It has crashed: what it counted since it was seen last, nobody knows. */
  crashed(): void {
    this.#before = this.#last;
  }

  /** What was seen last; its capabilities are gone when it has crashed. */
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
    counters: sumOf(before.counters, now.counters),
  };
}

/** Both together, by what was counted. */
export function sumOf(a: Counts, b: Counts): Counts {
  const sum: Record<string, number> = { ...a };
  for (const [what, count] of Object.entries(b)) {
    sum[what] = (sum[what] ?? 0) + count;
  }
  return sum;
}
