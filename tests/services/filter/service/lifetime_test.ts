/** Lifetimes and delegation, as holders ask for them. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { given } from "../../../../caps/kernel/given.ts";
import {
  RIGHT_DELEGATE,
  RIGHT_DERIVE,
  RIGHT_RECEIVE,
  RIGHTS_ALL,
} from "../../../../caps/kernel/rights.ts";
import type { Capability } from "../../../../caps/kernel/capability.ts";
import { ipv4 } from "../../../../services/filter/grant/builder.ts";
import { RefusedError } from "../../../../services/filter/service/client.ts";
import { testProperty } from "../../../property.ts";
import { VirtualClock } from "../../runtime/virtual_clock.ts";
import { Rig } from "./service_rig.ts";

const udp = (low: number, high = low) => ipv4().udp().dstPort(low, high).grant;

/** The capabilities that the filter service says are live, by slot. */
function liveIn(rig: Rig): Set<number> {
  return new Set(rig.service.describe().map(({ slot }) => slot));
}

/** Slots that the driver was told of, and not told the end of. */
function liveAtDriver(rig: Rig): Set<number> {
  const live = new Set<number>();
  for (const order of rig.orders) {
    if (order.kind === "revoke") {
      order.ended.forEach((slot, i) => i % 2 === 0 && live.delete(slot));
    } else if ("opened" in order) {
      for (const { slot } of order.opened) live.add(slot);
    }
  }
  return live;
}

/** Lets everything that can be answered be answered. */
async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve();
}

async function refusedFor(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof RefusedError);
    return error.refused;
  }
  return "granted";
}

interface Held {
  readonly tag: Capability;
  readonly parent: Held | undefined;
  readonly endsMs: number;
  readonly low: number;
  nextPort: number;
}

const lifetime = fc.option(
  fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(0.5, 1e300)),
  { nil: undefined },
);

testProperty(
  "at every time exactly the unexpired are live, for the filter service and for the driver",
  { runs: 100, file: import.meta.url },
  fc.asyncProperty(
    fc.array(
      fc.oneof(
        fc.record({
          op: fc.constant("derive" as const),
          pick: fc.nat(20),
          lifetimeMs: lifetime,
        }),
        fc.record({
          op: fc.constant("drop" as const),
          pick: fc.nat(20),
        }),
        fc.record({
          op: fc.constant("wait" as const),
          delayMs: fc.oneof(fc.nat(20), fc.constant(0.25)),
        }),
      ),
      { maxLength: 25 },
    ),
    async (steps) => {
      const clock = new VirtualClock();
      using rig = new Rig(undefined, clock);
      const root: Held = {
        tag: rig.root,
        parent: undefined,
        endsMs: Infinity,
        low: 0,
        nextPort: 1,
      };
      let held = [root];
      const nowMs = () => clock.now() / 1000;
      for (const step of steps) {
        if (step.op === "wait") clock.advance(step.delayMs);
        else {
          const one = held[step.pick % held.length]!;
          if (step.op === "drop") {
            if (one === root) continue;
            await rig.clients[0]!.end("drop", one.tag);
            held = held.filter((other) => !isBelow(other, one));
          } else {
            const made = await derive(rig, one, step.lifetimeMs, nowMs());
            if (made !== undefined) held.push(made);
          }
        }
        held = held.filter(({ endsMs }) => endsMs > nowMs());
        await settle();
        assert.equal(liveIn(rig).size, held.length - 1);
        assert.deepEqual(liveAtDriver(rig), liveIn(rig));
      }
    },
  ),
);

function isBelow(one: Held, above: Held): boolean {
  return one === above ||
    (one.parent !== undefined && isBelow(one.parent, above));
}

/** A sixteenth of the parent's ports for each child, down to single ones. */
async function derive(
  rig: Rig,
  parent: Held,
  lifetimeMs: number | undefined,
  nowMs: number,
): Promise<Held | undefined> {
  const width = parent.parent === undefined ? 256 : 16;
  if (parent.parent?.parent !== undefined || parent.nextPort >= 16) {
    return undefined;
  }
  const low = parent.low + width * parent.nextPort++;
  const tag = await rig.clients[0]!.derive({
    from: parent.tag,
    grant: udp(low, low + width - 1),
    rights: RIGHT_RECEIVE | RIGHT_DERIVE,
    quotaPages: 0,
    ...given({ lifetimeMs }),
  });
  const endsMs = Math.min(parent.endsMs, nowMs + (lifetimeMs ?? Infinity));
  return { tag, parent, endsMs, low, nextPort: 0 };
}

Deno.test("an expired tag is void like any other, and its grant can be had again", async () => {
  const clock = new VirtualClock();
  using rig = new Rig(undefined, clock);
  const [client] = rig.clients;
  const asked = { from: rig.root, grant: udp(7), rights: RIGHTS_ALL };
  const tag = await client!.derive({
    ...asked,
    quotaPages: 100,
    lifetimeMs: 50,
  });
  const again = { ...asked, quotaPages: 1 };
  assert.equal(await refusedFor(client!.derive(again)), "quota");
  clock.advance(49.999);
  assert.equal(liveIn(rig).size, 1);
  clock.advance(0.001);
  const answer = refusedFor(client!.end("drop", tag));
  await settle();
  clock.advance(100); // what the presenter of a void tag has to wait
  assert.equal(await answer, "void");
  const guess = refusedFor(client!.end("drop", 12345n as Capability));
  await settle();
  clock.advance(100);
  assert.equal(await guess, "void");
  await client!.derive(again);
});

Deno.test("a timer that is late keeps no tag alive", async () => {
  const clock = new VirtualClock();
  // It never rings.
  const late = { now: () => clock.now(), wake: () => {} };
  using rig = new Rig(undefined, late);
  const [client] = rig.clients;
  const from = await client!.derive({
    from: rig.root,
    grant: udp(1, 9),
    rights: RIGHTS_ALL,
    quotaPages: 0,
    lifetimeMs: 50,
  });
  const part = { from, rights: RIGHT_RECEIVE, quotaPages: 0 };
  await client!.derive({ ...part, grant: udp(1) });
  clock.advance(50);
  // Nobody waits for the answer: its penalty would never end.
  void client!.derive({ ...part, grant: udp(2) });
  await settle();
  assert.equal(liveIn(rig).size, 0);
  assert.equal(liveAtDriver(rig).size, 0);
  assert.deepEqual(rig.service.refusals()[0]!.refusals, { void: 1 });
});

Deno.test("a holder is detached only when what expired just before is out of force, too", async () => {
  const clock = new VirtualClock();
  using rig = new Rig(undefined, clock);
  await rig.clients[0]!.derive({
    from: rig.root,
    grant: udp(1),
    rights: RIGHT_RECEIVE,
    quotaPages: 0,
    to: 1,
    lifetimeMs: 50,
  });
  rig.stall(true);
  clock.advance(50);
  let detached = false;
  const asked = rig.service.detach(1).then(() => void (detached = true));
  await settle();
  assert.equal(rig.live.size, 1);
  assert.ok(!detached, "it is in force in the driver still");
  rig.stall(false);
  await asked;
  assert.equal(rig.live.size, 0);
});

Deno.test("a lifetime that is none is refused, with words", async () => {
  using rig = new Rig();
  const [client] = rig.clients;
  const asked = { from: rig.root, grant: udp(7), rights: 1, quotaPages: 1 };
  for (const lifetimeMs of [0, -1, NaN, Infinity, "9", null, {}]) {
    const wrong = { ...asked, lifetimeMs: lifetimeMs as number };
    await assert.rejects(client!.derive(wrong), /positive number of milli/);
    const given = { capability: rig.root, to: 1 };
    await assert.rejects(
      client!.delegate({ ...given, lifetimeMs: lifetimeMs as number }),
      /positive number of milli/,
    );
  }
  assert.deepEqual(rig.service.describe(), []);
});

Deno.test("what is delegated is the receiver's under a tag of its own, until the delegator takes it back", async () => {
  using rig = new Rig();
  const [system, giver, taker] = rig.clients;
  const own = await system!.derive({
    from: rig.root,
    grant: udp(7),
    rights: RIGHT_RECEIVE | RIGHT_DELEGATE,
    quotaPages: 10,
    to: 1,
  });
  const given = await giver!.delegate({
    capability: own,
    to: 2,
    rights: RIGHT_RECEIVE,
    quotaPages: 4,
  });
  assert.notEqual(given, own);
  const spec = rig.orders.flatMap((order) =>
    "opened" in order ? order.opened : []
  ).at(-1)!;
  assert.deepEqual([spec.port, spec.rights, spec.quotaPages], [2, 1, 4]);
  // Each tag is void on the other's port; what is received is not given on.
  assert.equal(await refusedFor(taker!.end("drop", own)), "void");
  assert.equal(await refusedFor(giver!.end("drop", given)), "void");
  const on = taker!.delegate({ capability: given, to: 1 });
  assert.equal(await refusedFor(on), "right");
  const nowhere = giver!.delegate({ capability: own, to: 99 });
  assert.equal(await refusedFor(nowhere), "invalid");
  await giver!.end("revoke", own);
  assert.equal(await refusedFor(taker!.end("drop", given)), "void");
  assert.deepEqual(liveAtDriver(rig), new Set([1]));
  // And then it can be given again.
  await giver!.delegate({ capability: own, to: 2 });
});
