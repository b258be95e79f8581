/** Services that go wrong or mean ill: the others do not notice, and it is told. */

import assert from "node:assert/strict";
import { defaultManifest } from "../../services/manifest.ts";
import type { SystemSnapshot } from "../../services/snapshot.ts";
import { PARTS } from "../../services/system.ts";
import type { Parts } from "../../services/system/parts.ts";
import { RunningSystem } from "../../services/system/running.ts";

const ROGUE = "udp-echo";

/** Pings that must be answered after the rogue has done its worst. */
const PINGS_AFTER = 30;

/** Questions that may be under way, unanswered, when a run ends. */
const UNDER_WAY = 8;

/** The usual parts, with a UDP echo service that behaves like this. */
function partsWith(behaviour: string): Parts {
  const worker = new URL(`./rogue_worker.ts?${behaviour}`, import.meta.url);
  const rogue = { ...PARTS.services[ROGUE]!, worker };
  return { ...PARTS, services: { ...PARTS.services, [ROGUE]: rogue } };
}

/** A system with a rogue in it, and what was told of services that failed. */
class RogueSystem {
  readonly told: string[] = [];
  readonly system: RunningSystem;
  readonly #failed = Promise.withResolvers<void>();

  constructor(behaviour: string) {
    this.system = new RunningSystem(
      // Each packet in a page: a rogue can keep them.
      defaultManifest({
        services: {
          arp: { core: "arp" },
          "icmp-echo": { core: "icmp-echo" },
          [ROGUE]: { core: "udp-echo", copyBytesMax: 0 },
        },
      }),
      partsWith(behaviour),
      {
        confined: true,
        onServiceFailed: (name, failure) => {
          this.told.push(`${name}: ${failure}`);
          this.#failed.resolve();
        },
      },
    );
  }

  /** Resolves when a service has failed. */
  get failed(): Promise<void> {
    return this.#failed.promise;
  }

  /** Goes on until `enough` says so of a snapshot. */
  async until(enough: (snapshot: SystemSnapshot) => boolean): Promise<void> {
    while (!enough(await this.system.snapshot())) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Goes on until so many more pings were answered. */
  async pings(count: number): Promise<void> {
    const answered = ({ peer }: SystemSnapshot) => peer!["ping-answered"] ?? 0;
    const before = answered(await this.system.snapshot());
    await this.until((snapshot) => answered(snapshot) >= before + count);
  }

  async stop(): Promise<SystemSnapshot> {
    const last = await this.system.stop();
    checkOthers(last);
    return last;
  }
}

/** All that was asked of the others is answered, and no page is lost. */
function checkOthers({ peer, services, pages }: SystemSnapshot): void {
  const sent = peer!["ping-sent"]!;
  const answered = peer!["ping-answered"]!;
  assert.ok(answered >= sent - UNDER_WAY, `${answered} of ${sent} pings`);
  assert.equal(peer!["wrong-answers"] ?? 0, 0);
  for (const service of services.filter(({ name }) => name !== ROGUE)) {
    assert.equal(service.state, "running", service.name);
    assert.deepEqual(service.refusals, {}, service.name);
    for (const { drops } of service.capabilities) assert.deepEqual(drops, {});
  }
  const { total, free, lent, inFlight, quarantined } = pages;
  assert.equal(free + lent + inFlight + quarantined, total);
}

function rogueIn({ services }: SystemSnapshot): SystemSnapshot["services"][0] {
  return services.find(({ name }) => name === ROGUE)!;
}

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
    const { state, failure, refusals } = rogueIn(last);
    assert.equal(state, "failed");
    assert.match(failure!, why);
    assert.deepEqual(rogue.told, [`${ROGUE}: ${failure}`]);
    if (why.source.includes("refused")) {
      const refused = Object.values(refusals).reduce((a, b) => a + b, 0);
      assert.ok(refused >= 4096, JSON.stringify(refusals));
    }
  });
}

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
