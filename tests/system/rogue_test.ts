/** Services that go wrong or mean ill: the others do not notice, and it is told. */

import assert from "node:assert/strict";
import { PINGS_AFTER, ROGUE, rogueIn, RogueSystem } from "./rogue_system.ts";

const FAILURES: readonly [behaviour: string, what: string, why: RegExp][] = [
  ["throws-on-a-packet", "throws on a packet", /^a packet too many$/],
  ["rejects-later", "leaves a rejection behind", /nobody caught this/],
  ["closes", "ends its worker", /^it stopped answering; it was ended$/],
  ["spins", "spins", /^it stopped answering; it was ended$/],
  [
    "floods-data",
    "floods the driver with garbage",
    /^it was cut off: too many of its messages were refused$/,
  ],
  [
    "floods-requests",
    "floods the filter service with garbage",
    /^it was cut off: too many of its messages were refused$/,
  ],
  [
    "floods-control",
    "floods the system with garbage",
    /^it was ended: too many of its messages made no sense$/,
  ],
];

for (const [behaviour, what, why] of FAILURES) {
  Deno.test(`a service that ${what} has failed, with a reason, and the others answer on`, async () => {
    const rogue = new RogueSystem(behaviour);
    await rogue.system.start();
    await rogue.failed;
    await rogue.pings(PINGS_AFTER);
    const last = await rogue.stop();
    const { state, failure, refusals, capabilities } = rogueIn(last);
    assert.equal(state, "failed");
    assert.match(failure!, why);
    assert.deepEqual(rogue.told, [`${ROGUE}: ${failure}`]);
    assert.deepEqual(capabilities.map(({ label }) => label), [
      `${ROGUE}#ended`,
    ]);
    if (behaviour === "throws-on-a-packet") {
      assert.ok(capabilities[0]!.deliveredPackets > 0, "counts are kept");
    }
    if (behaviour === "floods-data") {
      assert.equal(refusals["flood"], 1, JSON.stringify(refusals));
    } else if (why.source.includes("refused")) {
      const refused = Object.values(refusals).reduce((a, b) => a + b, 0);
      assert.ok(refused >= 4096, JSON.stringify(refusals));
    }
  });
}

Deno.test("a service that floods is cut off behind an interposer too", async () => {
  const rogue = new RogueSystem("floods-data", { interpose: [{ count: {} }] });
  await rogue.system.start();
  await rogue.failed;
  await rogue.pings(PINGS_AFTER);
  const { state, failure, refusals } = rogueIn(await rogue.stop());
  assert.equal(state, "failed");
  assert.match(failure!, /^it was cut off/);
  assert.equal(refusals["flood"], 1);
});

Deno.test("forged and foreign pages and guessed tags are refused and counted, and nothing else comes of them", async () => {
  const rogue = new RogueSystem("forges");
  await rogue.system.start();
  await rogue.until((snapshot) => {
    const { refusals } = rogueIn(snapshot);
    return refusals["forged-page"]! > 100 && refusals["void"]! > 10 &&
      refusals["void-capability"]! > 10;
  });
  await rogue.pings(PINGS_AFTER);
  const last = await rogue.stop();
  assert.deepEqual(rogue.told, []);
  const { state, capabilities } = rogueIn(last);
  assert.equal(state, "running");
  assert.equal(capabilities[0]!.sentPackets, 0);
  assert.ok(capabilities[0]!.deliveredPackets > 20);
  assert.equal(last.pages.free, last.pages.total);
});

const STARTS: readonly [behaviour: string, what: string, why: RegExp][] = [
  [
    "throws-loading",
    "throws when it is loaded",
    /^service udp-echo did not start: .*no good from the start/,
  ],
  [
    "throws-starting",
    "throws when it starts",
    /^service udp-echo did not start: .*cannot start/,
  ],
  [
    "says-nothing",
    "never says that it runs",
    /^service udp-echo did not start: it does not run after 10 s$/,
  ],
];

for (const [behaviour, what, why] of STARTS) {
  Deno.test(`a service that ${what} is a failure of the start, in one line, and nothing is left`, async () => {
    const rogue = new RogueSystem(behaviour);
    await assert.rejects(rogue.system.start(), (error: Error) => {
      assert.match(error.message, why);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
    assert.deepEqual(rogue.told, []);
  });
}
