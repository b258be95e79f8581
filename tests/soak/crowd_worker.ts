/**
 * The crowd of a soak in place of the peer of an emulated wire; the query of this
 * module's address says for how many milliseconds.
 */

import type { Counts } from "../../caps/driver/accounts.ts";
import { onFirstMessage } from "../../caps/port/first_message.ts";
import { fromMessagePort, takeAll } from "../../caps/port/port.ts";
import { openPortEnd } from "../../drivers/emulated/port_end.ts";
import { makeRealClock } from "../../services/runtime/clock.ts";
import { LinkRunner } from "../../services/peer/runner.ts";
import type {
  PeerOrder,
  PeerReport,
  PeerStart,
} from "../../services/system/peer/messages.ts";
import { makeCrowd } from "./crowd.ts";

const forMs = Number(new URL(import.meta.url).search.slice(1));

onFirstMessage(({ control, link, target, seed }: PeerStart) => {
  const orders = fromMessagePort<PeerReport, PeerOrder>(control);
  const end = openPortEnd(link);
  const crowd = makeCrowd({ target, seed, forMs });
  const runner = new LinkRunner(crowd, end, makeRealClock());
  orders.onReady = () => {
    for (const order of takeAll(orders)) {
      if (order.kind === "count") {
        const counters = { ...crowd.counters(), ...prefixed(end.counters()) };
        orders.post({ kind: "counters", id: order.id, counters });
      } else if (order.kind === "stop") {
        runner[Symbol.dispose]();
        orders[Symbol.dispose]();
      }
    }
  };
});

function prefixed(
  counters: Counts,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counters).map(([name, n]) => [`wire ${name}`, n]),
  );
}
