/** Services that fail are started again, a few times, and the others do not notice. */

import assert from "node:assert/strict";
import type { SystemSnapshot } from "../../services/system/snapshot.ts";
import { deliveredIn } from "./delivered.ts";
import { PINGS_AFTER, rogueIn, RogueSystem } from "./rogue_system.ts";

const FEW: readonly [behaviour: string, what: string, why: RegExp][] = [
  ["throws-on-a-packet", "throws", /^a packet too many$/],
  ["closes", "ends its worker", /^it stopped answering; it was ended$/],
  ["spins", "stops answering", /^it stopped answering; it was ended$/],
];

Deno.test("a service that throws, ends its worker or stops answering is started again with fresh capabilities, and at last stays failed", async () => {
  const rogues = FEW.map(([behaviour]) =>
    new RogueSystem(behaviour, { restart: 1 })
  );
  // One after the other: three at once are a lot of workers to start.
  for (const rogue of rogues) await rogue.system.start();
  await Promise.all(FEW.map(async ([, what, why], i) => {
    const rogue = rogues[i]!;
    await rogue.failed;
    await rogue.pings(PINGS_AFTER);
    const last = await rogue.stop();
    const { state, failure, restarts } = rogueIn(last);
    assert.deepEqual([what, state, restarts], [what, "failed", 1]);
    assert.match(failure!, why);
    assert.deepEqual(rogue.told, [`udp-echo: ${failure}`]);
    assert.deepEqual(rogue.restarts, [
      { service: "udp-echo", failure, delayMs: 100 },
    ]);
  }));
});

Deno.test("a service answers again between its failures, with its counts kept and what it held quarantined", async () => {
  const rogue = new RogueSystem("throws-later", { restart: 2 });
  await rogue.system.start();
  const answered = ({ peer }: SystemSnapshot) => peer!["udp-answered"] ?? 0;
  /** What was answered by the end of each life. */
  const byLife: number[] = [];
  let echoed = 0;
  let delivered = 0;
  await rogue.until((snapshot) => {
    const { state, restarts, counters } = rogueIn(snapshot);
    assert.ok((counters["echoed"] ?? 0) >= echoed, "counts never go back");
    echoed = counters["echoed"] ?? 0;
    assert.ok(deliveredIn(rogueIn(snapshot)) >= delivered);
    delivered = deliveredIn(rogueIn(snapshot));
    byLife[restarts] = answered(snapshot);
    return state === "failed";
  });
  const last = await rogue.stop();
  const [first, second, third] = byLife;
  assert.ok(
    deliveredIn(rogueIn(last)) >= rogueIn(last).counters["echoed"]!,
    "what was echoed was delivered, in whichever life",
  );
  assert.ok(
    first! > 0 && second! > first! && third! > second!,
    byLife.join(", "),
  );
  assert.deepEqual(rogue.restarts.map(({ delayMs }) => delayMs), [100, 200]);
  const watcher = last.services.find(({ name }) => name === "icmp-echo")!;
  const told = Object.entries(watcher.counters)
    .filter(([what]) => what.startsWith("udp-echo "));
  assert.deepEqual(Object.fromEntries(told), {
    "udp-echo running": 3,
    "udp-echo restarting": 2,
    "udp-echo failed": 1,
  });
  assert.ok(last.pages.quarantined >= 3, JSON.stringify(last.pages));
});

Deno.test("when quarantined pages have eaten the quota, a service is not started again, and it says why", async () => {
  // 48 pages can be lent in all; the rogue asks for nearly all of them each time.
  const rogue = new RogueSystem("throws-on-a-packet", {
    restart: 2,
    frames: 256,
    extents: 0,
    quotaPages: 64,
  });
  await rogue.system.start();
  await rogue.failed;
  await rogue.pings(PINGS_AFTER);
  const last = await rogue.stop();
  const { state, failure } = rogueIn(last);
  assert.equal(state, "failed");
  assert.match(failure!, /^it cannot be started again: .*pages/);
  assert.ok(last.pages.quarantined > 0);
});
