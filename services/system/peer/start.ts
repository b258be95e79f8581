/** The peer of an emulated wire, in a worker or in the caller's own thread. */

import { fromMessagePort, takeAll } from "../../../caps/port/port.ts";
import { openPortEnd } from "../../../drivers/emulated/port_end.ts";
import { makeRealClock } from "../../runtime/clock.ts";
import { makePeer } from "../../peer/core.ts";
import { LinkRunner } from "../../peer/runner.ts";
import type { PeerOrder, PeerReport, PeerStart } from "./messages.ts";

/** From one ping, and from one datagram, to the next: a live picture, and an idle machine. */
const INTERVAL_US = { "recorded": 10_000, "at-once": 50 } as const;

/** Runs a peer with the ports in `start`. */
export function startPeer(start: PeerStart): void {
  const control = fromMessagePort<PeerReport, PeerOrder>(start.control);
  const address = neighbourOf(start.target, start.prefixBits);
  const intervalUs = INTERVAL_US[start.pace];
  const core = makePeer({
    mac: Uint8Array.of(
      0x02,
      0x50,
      address >>> 24,
      address >>> 16 & 255,
      address >>> 8 & 255,
      address & 255,
    ),
    address,
    target: start.target,
    seed: start.seed,
    pingIntervalUs: intervalUs,
    udpIntervalUs: intervalUs,
  });
  const run = (link: MessagePort) =>
    new LinkRunner(core, openPortEnd(link), makeRealClock());
  let runner = run(start.link);
  control.onReady = () => {
    for (const order of takeAll(control)) {
      if (order.kind === "count") {
        control.post({
          kind: "counters",
          id: order.id,
          counters: runner.counters(),
        });
      } else if (order.kind === "plug") {
        runner[Symbol.dispose]();
        runner = run(order.link);
      } else {
        runner[Symbol.dispose]();
        control[Symbol.dispose]();
      }
    }
  };
}

/** Address of another host in the same network. */
function neighbourOf(address: number, prefixBits: number): number {
  const network = prefixBits === 32
    ? address
    : address & (-1 << (32 - prefixBits));
  const first = (network + 1) >>> 0;
  return first === address ? (address + 1) >>> 0 : first;
}
