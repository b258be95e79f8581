/** Systems on one wire of a process, and one with a peer from the command line. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { nicsOnWire, plugIntoWire } from "../../drivers/emulated/named_wire.ts";
import { openPortEnd } from "../../drivers/emulated/port_end.ts";
import { makeRealClock } from "../../services/runtime/clock.ts";
import { defaultManifest } from "../../services/manifest/manifest.ts";
import { makePeer } from "../../services/peer/core.ts";
import { LinkRunner } from "../../services/peer/runner.ts";
import { boot } from "../../services/system/boot.ts";
import { until } from "../drivers/tunnel/rig.ts";
import { snapshotIn, up } from "./up_process.ts";

/** A host on the wire `name` that asks a system for echoes. */
function asker(name: string, number: number, target: number): LinkRunner {
  const peer = makePeer({
    mac: Uint8Array.of(2, 0, 0, 0, 9, number),
    address: 0x0a4d0000 | number,
    target,
    seed: number,
    pingIntervalUs: 2000,
    udpIntervalUs: 2000,
    noisePercent: 0,
  });
  const { link } = plugIntoWire(name);
  return new LinkRunner(peer, openPortEnd(link), makeRealClock());
}

for (const confined of [false, true]) {
  const how = confined ? "in confined workers" : "in one thread";

  Deno.test(`two systems on one wire answer for themselves, and one goes on when the other has stopped, ${how}`, async () => {
    const name = `both-${confined ? 1 : 0}`;
    const manifests = ["10.77.0.2/24", "10.77.0.3/24"].map((address) =>
      defaultManifest({ nic: `wire:${name}`, address, frames: 1024 })
    );
    const systems = await Promise.all(
      manifests.map((manifest) => boot(manifest, { confined })),
    );
    strictEqual(nicsOnWire(name), 2);
    const askers = manifests.map(({ address }, i) =>
      asker(name, 100 + i, address.address)
    );
    const answered = () => askers.map((one) => one.counters());
    await until(
      () =>
        answered().every((counters) =>
          counters["ping-answered"]! > 20 && counters["udp-answered"]! > 20
        ),
      "answers of both",
    );
    const last = await systems[0]!.stop();
    strictEqual(last.nic.name, `wire:${name}`);
    strictEqual(last.pages.free, last.pages.total);
    const before = answered()[1]!["ping-answered"]!;
    await until(() => answered()[1]!["ping-answered"]! > before + 20);
    for (const counters of answered()) {
      strictEqual(counters["wrong-answers"] ?? 0, 0);
      strictEqual(counters["arp-resolved"], 1);
    }
    for (const one of askers) one[Symbol.dispose]();
    await systems[1]!.stop();
    await until(() => nicsOnWire(name) === 0, "the wire to be gone");
  });
}

Deno.test("a wire's faults befall the frames of its system, by the manifest's seed", async () => {
  const args = ["--nic", "wire:lab,peer,loss=0.3", "--for", "500ms", "--json"];
  const result = await up([...args, "--seed", "9"]);
  strictEqual(result.err, "");
  const { nic, peer, pages } = snapshotIn(result);
  strictEqual(nic.name, "wire:lab");
  ok(nic.counters["rx-fault-lost"]! > 0 && nic.counters["tx-fault-lost"]! > 0);
  ok(peer!["ping-answered"]! > 0);
  ok(peer!["ping-answered"]! < peer!["ping-sent"]! - 8);
  deepStrictEqual(pages.free, pages.total);
});
