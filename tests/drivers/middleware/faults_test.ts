import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import type { WireFaults } from "../../../caps/driver/wire_faults.ts";
import { faultyDriver } from "../../../drivers/middleware/faults.ts";
import { testDriver } from "../../conformance/driver.ts";
import { Caller, testFrame } from "../../conformance/driver_rig.ts";
import { testProperty } from "../../property.ts";
import { emulatedRig } from "../emulated/rig.ts";

function faultyRig(receive: WireFaults, transmit: WireFaults, seed = 1) {
  return emulatedRig((driver, { memory }) =>
    faultyDriver(driver, { memory, seed, receive, transmit })
  );
}

const file = import.meta.url;
testDriver("without faults", () => faultyRig({}, {}), { file, runs: 30 });
testDriver(
  "losing frames",
  () => faultyRig({ loss: 0.3 }, { loss: 0.3 }),
  { file, runs: 40, lossy: true },
);

/** Sends and receives `frames` through `rig`; what arrived at either side. */
async function exchange(
  rig: ReturnType<typeof faultyRig>,
  frames: readonly Uint8Array[],
) {
  const caller = new Caller(rig);
  caller.provide(14);
  for (let i = 0; i < frames.length; i += 5) {
    const some = frames.slice(i, i + 5);
    await rig.inject(some);
    ok(caller.transmit(some) === some.length);
    await caller.settle(0, () => false);
  }
  await caller.settle(20, () => false);
  caller.check();
  strictEqual(caller.sendingCount, 0, "every frame came back");
  const text = (all: readonly Uint8Array[]) => all.map((one) => one.toHex());
  const counters = rig.driver.counters();
  await rig[Symbol.asyncDispose]();
  return {
    received: text(caller.received),
    collected: text(caller.collected),
    counters,
  };
}

const frames = Array.from({ length: 40 }, (_, i) => testFrame(i, 60 + i));
const sent = frames.map((frame) => frame.toHex());

Deno.test("loss, duplication and reordering keep every byte and are counted", async () => {
  const rates = { loss: 0.2, duplication: 0.3, reordering: 0.3 };
  const { received, collected, counters } = await exchange(
    faultyRig(rates, rates),
    frames,
  );
  for (const [way, seen] of [["rx", received], ["tx", collected]] as const) {
    const lost = counters[`${way}-fault-lost`]!;
    const duplicated = counters[`fault-${way}-duplicated`]!;
    const reordered = counters[`fault-${way}-reordered`]!;
    ok(lost > 0 && duplicated > 0 && reordered > 0);
    strictEqual(seen.length, 40 - lost + duplicated);
    strictEqual(new Set(seen).size, 40 - lost);
    ok(seen.every((frame) => sent.includes(frame)));
    const order = seen.map((frame) => sent.indexOf(frame));
    ok(order.some((at, i) => i > 0 && at < order[i - 1]!), "out of order");
  }
});

Deno.test("corruption turns one bit, truncation cuts the end", async () => {
  const turned = await exchange(faultyRig({ corruption: 1 }, {}), frames);
  const odd = turned.received.filter((frame, i) => {
    const [a, b] = [Uint8Array.fromHex(frame), frames[i]!];
    if (a.length !== b.length) return true;
    const bits = a.map((byte, at) => byte ^ b[at]!).filter((diff) => diff > 0);
    return bits.length !== 1 || (bits[0]! & (bits[0]! - 1)) !== 0;
  });
  // A bit of the suite's own mark may be what was turned: such a frame is not seen.
  ok(turned.received.length > 0);
  if (turned.received.length === 40) deepStrictEqual(odd, []);
  deepStrictEqual(turned.collected, sent);
  const cut = await exchange(faultyRig({}, { truncation: 1 }), frames);
  strictEqual(cut.counters["fault-tx-truncated"], 40);
  ok(cut.collected.length > 0);
  for (const frame of cut.collected) {
    ok(sent.some((whole) => whole !== frame && whole.startsWith(frame)));
  }
  deepStrictEqual(cut.received, sent);
});

Deno.test("frames of lost arrivals receive again", async () => {
  await using rig = faultyRig({ loss: 1 }, {});
  const caller = new Caller(rig);
  strictEqual(caller.provide(8), 8);
  for (let i = 0; i < 40; i += 8) {
    await rig.inject(frames.slice(i, i + 8));
    strictEqual(caller.receive(64), 0);
  }
  strictEqual(rig.driver.counters()["rx-fault-lost"], 40);
  strictEqual(rig.driver.counters()["rx-ring-full"], 0);
});

const rate = fc.constantFrom(0, 0.1, 0.5, 1);
const rates = fc.record({
  loss: rate,
  duplication: rate,
  reordering: rate,
  corruption: rate,
  truncation: rate,
});
testProperty(
  "equal seeds give equal faults, and whatever they are every frame comes back",
  { runs: 25, file: import.meta.url },
  fc.asyncProperty(
    rates,
    rates,
    fc.integer(),
    async (receive, transmit, seed) => {
      const once = await exchange(faultyRig(receive, transmit, seed), frames);
      const again = await exchange(faultyRig(receive, transmit, seed), frames);
      deepStrictEqual(again, once);
    },
  ),
);

Deno.test("a rate that is none is refused", () => {
  throws(() => faultyRig({ loss: 1.5 }, {}), /loss is 1.5; a rate goes from 0/);
  throws(() => faultyRig({}, { duplication: NaN }), /duplication is NaN/);
});
