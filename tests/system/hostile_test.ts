/** Services that mean ill, each in a process of its own: a worker that never returns to its event loop runs on until the process ends. */

import assert from "node:assert/strict";
import { type Ran, runHostile } from "../../bench/hostile/ran.ts";
import type { Behaviour } from "../../bench/hostile/system.ts";
import { IN_FLIGHT_MAX } from "../../caps/port/records.ts";

/** Little enough for a machine that is busy with other tests. */
const PER_SECOND = 500;

function run(
  behaviour: Behaviour,
  durationMs: number,
  until?: "failed" | "ended",
): Promise<Ran> {
  return runHostile(behaviour, { perSecond: PER_SECOND, durationMs }, until);
}

/** Longer than anything takes that must happen. */
const LONG_MS = 30_000;

/** Nobody else lost a packet for want of anything of theirs, and no page is lost. */
function checkOthers({ victims, pages }: Ran): void {
  for (const { name, state, refusals, capabilities } of victims) {
    assert.equal(state, "running", name);
    assert.deepEqual(refusals, {}, name);
    assert.ok(capabilities[0]!.deliveredPackets > 0, name);
    for (const { drops } of capabilities) assert.deepEqual(drops, {}, name);
  }
  const { total, free, lent, inFlight, quarantined } = pages;
  assert.equal(free + lent + inFlight + quarantined, total);
}

for (const behaviour of ["keeps-pages", "never-reads"] as const) {
  Deno.test(`a service that ${behaviour} holds what its quota says and loses its own packets only`, async () => {
    const ran = await run(behaviour, 600);
    checkOthers(ran);
    assert.deepEqual(ran.failures, []);
    const [held] = ran.hostile.capabilities;
    assert.equal(held!.heldPages, held!.quotaPages);
    assert.ok(held!.drops["no-page"]! > 0);
  });
}

Deno.test("a service that fills its heap is stopped at the limit, named, and ends alone", async () => {
  const ran = await run("allocates-heap", LONG_MS, "failed");
  checkOthers(ran);
  assert.equal(ran.ended, undefined);
  assert.match(
    ran.failures[0]!,
    /^it was ended: (it used \d+ MiB|the process grew)/,
  );
});

Deno.test("a service that fills memory with buffers is named, and where that does not stop it the system ends", async () => {
  const ran = await run("allocates-buffers", LONG_MS, "ended");
  assert.match(ran.failures[0]!, /it did not say what it uses$/);
  assert.match(ran.ended!, /hostile was ended and goes on/);
  // It is ended at 256 MiB, the system at as much again, and half a second's worth each time.
  assert.ok(ran.rssPeak < 8192, `${ran.rssPeak} MiB`);
});

for (const behaviour of ["floods", "floods-garbage"] as const) {
  Deno.test(`a service that ${behaviour} the driver without a pause is cut off at its first message too many, and memory stays`, async () => {
    const ran = await run(behaviour, 600);
    checkOthers(ran);
    assert.equal(ran.ended, undefined);
    assert.match(ran.failures[0]!, /^it was cut off/);
    const { flood, malformed = 0 } = ran.hostile.refusals;
    assert.equal(flood, 1);
    assert.ok(malformed <= IN_FLIGHT_MAX, `${malformed} were looked at`);
    assert.ok(ran.rssPeak < ran.rssBefore + 256, `${ran.rssPeak} MiB`);
  });
}

Deno.test("a service that floods the filter service without a pause is cut off, and memory stays", async () => {
  const ran = await run("floods-requests", 600);
  checkOthers(ran);
  assert.equal(ran.ended, undefined);
  assert.match(ran.failures[0]!, /^it was cut off/);
  assert.ok(ran.rssPeak < ran.rssBefore + 256, `${ran.rssPeak} MiB`);
});

Deno.test("of tags that are guessed without end none is anybody's, and the guesser is cut off", async () => {
  const ran = await run("guesses", LONG_MS, "failed");
  checkOthers(ran);
  const { capabilities, refusals } = ran.hostile;
  const refused = (refusals["void-capability"] ?? 0) + (refusals["void"] ?? 0);
  assert.ok(refused > 0, JSON.stringify(refusals));
  assert.match(ran.failures[0]!, /^it was cut off/);
  for (const { sentPackets } of capabilities) assert.equal(sentPackets, 0);
});
