/** The host of {@link LoadPeer} on an emulated wire; the query of this module's address says its pace. */

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
import { LoadPeer } from "./peer_core.ts";

const asked = new URL(import.meta.url).searchParams;

function start({ link, control, target }: PeerStart): void {
  const core = new LoadPeer({
    mac: Uint8Array.of(2, 0x50, 0, 0, 0, 1),
    address: (target ^ 1) >>> 0,
    target,
    ports: asked.get("ports")!.split(",").map(Number),
    intervalUs: Number(asked.get("intervalUs")),
    payloadBytes: Number(asked.get("payloadBytes")),
  });
  const runner = new LinkRunner(core, openPortEnd(link), makeRealClock());
  const port = fromMessagePort<PeerReport, PeerOrder>(control);
  port.onReady = () => {
    for (const order of takeAll(port)) {
      if (order.kind === "stop") {
        runner[Symbol.dispose]();
        port[Symbol.dispose]();
      } else if (order.kind === "count") {
        const counters = runner.counters();
        port.post({ kind: "counters", id: order.id, counters });
      }
    }
  };
}

onFirstMessage(start);
