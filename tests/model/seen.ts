/** What is seen of a driver service and a filter service, as the model says it. */

import { strictEqual } from "node:assert/strict";
import type { DriverCounts } from "../../caps/driver/messages.ts";
import type { PortRefusals } from "../../services/filter/service/messages.ts";
import type { WireEnd } from "../../drivers/emulated/wire.ts";
import type { Got } from "./holder.ts";
import { nameOfOffload, nameSent, offloadOf } from "./sent_names.ts";
import type { StallingDriver } from "./stalling_driver.ts";
import type { Seen, SeenAccount } from "./system.ts";

/** What a system has counted, and what has come out of it since the last look. */
export interface Observed {
  readonly counts: DriverCounts;
  readonly refusals: readonly PortRefusals[];
  /** The number of the capability that has a slot. */
  readonly bySlot: ReadonlyMap<number, number>;
  readonly delivered: readonly string[];
  readonly sent: readonly string[];
}

/** @throws when a page is lost. */
export function seenOf(observed: Observed): Seen {
  const { counts, bySlot, delivered, sent } = observed;
  const accounts: Record<number, SeenAccount> = {};
  for (const one of counts.accounts) {
    accounts[bySlot.get(one.slot)!] = {
      held: one.heldPages,
      packets: one.deliveredPackets,
      bytes: one.deliveredBytes,
      sentPackets: one.sentPackets,
      sentBytes: one.sentBytes,
      drops: one.drops,
    };
  }
  const refused: Record<number, Record<string, number>> = {};
  for (const side of [observed.refusals, counts.refusals]) {
    for (const { port, refusals } of side) {
      const sum = refused[port] ??= {};
      for (const [why, count] of Object.entries(refusals)) {
        sum[why] = (sum[why] ?? 0) + count;
      }
    }
  }
  const { total, free, lent, inFlight, quarantined } = counts.pages;
  strictEqual(
    free + lent + inFlight + quarantined,
    total,
    "pages are not conserved",
  );
  return {
    delivered: delivered.toSorted(),
    sent,
    accounts,
    refused,
    lent,
    inFlight,
    quarantined,
    unclaimed: counts.unclaimedPackets,
    tooLarge: counts.counters["rx-too-large"] ?? 0,
  };
}

/** What a holder got, under the capability of that number. */
export function nameGot(cap: number, { name, form, offload }: Got): string {
  return `${cap} ${name} ${form}${nameOfOffload(offloadOf(offload))}`;
}

/** Takes what has come out at the far end of a NIC's wire, with what the NIC was told of it. */
export function takeSent(
  { far, nic }: { readonly far: WireEnd; readonly nic: StallingDriver },
): string[] {
  const words = nic.sentWords.splice(0);
  const sent: string[] = [];
  for (let length = far.peek(); length > 0; length = far.peek()) {
    const bytes = new Uint8Array(length);
    far.receive(bytes, 0);
    sent.push(nameSent(bytes, offloadOf(words[sent.length]!)));
  }
  return sent;
}
