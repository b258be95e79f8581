/** A driver that crashes takes its capabilities with it; all is established again. */

import { delay } from "@std/async/delay";
import assert from "node:assert/strict";
import { ipv4 } from "../../services/filter/grant/builder.ts";
import type { ServicePlace } from "../../services/manifest/manifest.ts";
import type { Receiver } from "../../services/receiver/receiver.ts";
import type { SystemSnapshot } from "../../services/system/snapshot.ts";
import type { Restart } from "../../services/system/system.ts";
import { RunningSystem } from "../../services/system/running.ts";
import { deliveredIn } from "./delivered.ts";
import type { Crash } from "./crashing_nic.ts";
import { partsWith } from "./crashing_parts.ts";
import { placed } from "./placed.ts";

class CrashingSystem {
  readonly restarts: Restart[] = [];
  readonly failed: string[] = [];
  readonly system: RunningSystem;

  constructor(
    crash: Crash,
    goodPackets: number,
    confined: boolean,
    place: ServicePlace = "worker",
  ) {
    this.system = new RunningSystem(
      placed(place),
      partsWith(crash, goodPackets),
      {
        confined,
        paused: true,
        onRestart: (restart) => this.restarts.push(restart),
        onServiceFailed: (name) => this.failed.push(name),
      },
    );
  }

  /** Goes on until `enough` says so. */
  async until(enough: (snapshot: SystemSnapshot) => boolean): Promise<void> {
    while (!enough(await this.system.snapshot())) {
      await delay(20);
    }
  }
}

/** Counts a receiver's packets until its loop ends. */
function counting(receiver: Receiver): { count: number; ended: Promise<void> } {
  const counted = { count: 0, ended: Promise.resolve() };
  counted.ended = (async () => {
    for await (const _packet of receiver) counted.count++;
  })();
  return counted;
}

const answered = ({ peer }: SystemSnapshot, what: string) =>
  peer![`${what}-answered`] ?? 0;

const WAYS: readonly [
  crash: Crash,
  confined: boolean,
  what: string,
  place?: ServicePlace,
][] = [
  ["throws", false, "throws, in one process,"],
  ["throws", true, "throws, in a worker,"],
  ["throws-aside", true, "dies, in a worker,"],
  [
    "throws",
    false,
    "throws, in one process, and calls its services,",
    "driver",
  ],
  ["throws-aside", true, "dies with the services in its thread,", "driver"],
  [
    "throws-aside",
    true,
    "dies, in a worker, with services in processes,",
    "process",
  ],
];

for (const [crash, confined, what, place] of WAYS) {
  Deno.test(`a driver that ${what} is started again: services and receivers go on with fresh capabilities`, async () => {
    // A process needs some packets' time to start.
    const goodPackets = place === "process" ? 400 : 60;
    const crashing = new CrashingSystem(crash, goodPackets, confined, place);
    const { system } = crashing;
    await system.start();
    // What the peer sends to ports that no service listens on.
    const seen = counting(
      await system.open(ipv4().udp().dstPort(1024, 65535).grant),
    );
    system.receive();
    let received = 0;
    const delivered: Record<string, number> = {};
    const before = { ping: 0, udp: 0, seen: 0 };
    await crashing.until((snapshot) => {
      const { nic } = snapshot;
      assert.ok(nic.receivedPackets >= received, "counts never go back");
      received = nic.receivedPackets;
      for (const service of snapshot.services) {
        const count = deliveredIn(service);
        assert.ok(count >= (delivered[service.name] ?? 0), service.name);
        delivered[service.name] = count;
      }
      if (nic.restarts < 2) {
        before.ping = answered(snapshot, "ping");
        before.udp = answered(snapshot, "udp");
        before.seen = seen.count;
        return false;
      }
      return answered(snapshot, "ping") > before.ping + 5 &&
        answered(snapshot, "udp") > before.udp + 5 && seen.count > before.seen;
    });
    const last = await system.stop();
    await seen.ended;
    assert.ok(last.nic.restarts >= 2);
    assert.match(last.nic.failure!, /the wire is on fire/);
    assert.deepEqual(crashing.failed, []);
    for (const { name, restarts, failure } of last.services) {
      assert.deepEqual([name, restarts, failure], [name, 0, undefined]);
    }
    const [first] = crashing.restarts;
    assert.deepEqual([first!.service, first!.delayMs], [undefined, 100]);
    assert.equal(last.peer!["wrong-answers"] ?? 0, 0);
  });
}

Deno.test("a driver that crashes on and on is given up: the system has failed, and loops over packets end", async () => {
  const crashing = new CrashingSystem("throws", 0, false);
  const { system } = crashing;
  await system.start();
  const seen = counting(
    await system.open(ipv4().udp().dstPort(1024, 65535).grant),
  );
  system.receive();
  const ending = await system.ended;
  await seen.ended;
  assert.equal(ending.reason, "failed");
  assert.match(
    ending.reason === "failed" ? ending.error.message : "",
    /the wire is on fire/,
  );
  assert.deepEqual(
    crashing.restarts.map(({ delayMs }) => delayMs),
    [100, 200, 400, 800, 1600],
  );
  await assert.rejects(system.stop(), /the wire is on fire/);
});
