/** Trusted holders at the borders of their rings and their extents. */

import assert from "node:assert/strict";
import {
  EXTENT_PAGES,
  frameAt,
  frameOffset,
} from "../../../caps/memory/memory.ts";
import {
  RING_ENTRIES,
  RingReader,
  RingWriter,
} from "../../../caps/port/trusted_ring.ts";
import { witness } from "../../arbitraries/witness.ts";
import { echo, pings } from "./plans.ts";
import { Rig } from "./rig.ts";

/** `count` packets for the holder of `echo` arrive. */
function arrive(rig: Rig, count: number): void {
  const frame = witness(echo.receives[0]!);
  for (let i = 0; i < count; i++) rig.far.send(frame, 0, frame.length);
  rig.turn();
}

Deno.test("a trusted holder has as many packets as its ring has entries, and more once it has given some back", () => {
  const quotaPages = 2 * RING_ENTRIES;
  const plan = { ...echo, quotaPages, trusted: true };
  using rig = new Rig([plan, pings], 2 * quotaPages);
  const { rings } = rig.holders[0]!.shared!;
  const deliveries = new RingReader(rings, "deliveries");
  const returns = new RingWriter(rings, "returns");
  // The wire holds fewer at a time.
  for (let i = 0; i < RING_ENTRIES / 64; i++) arrive(rig, 64);
  arrive(rig, 2);
  assert.equal(deliveries.available, RING_ENTRIES);
  const drops = () => rig.service.counts().accounts[0]!.drops;
  assert.deepEqual(drops(), { "no-page": 2 });
  for (let i = 0; i < 64; i++) {
    returns.put(deliveries.words[deliveries.at]!, 0, 1, 0);
    deliveries.advance(1);
  }
  returns.publish();
  rig.turn();
  arrive(rig, 64);
  assert.equal(deliveries.available, RING_ENTRIES);
  assert.deepEqual(drops(), { "no-page": 2 });
});

Deno.test("an extent comes back by its first page, and by no other", () => {
  const quotaPages = EXTENT_PAGES;
  const likeness = { extents: 16, superPackets: true };
  using rig = new Rig(
    [{ ...echo, quotaPages, trusted: true }],
    64,
    1,
    likeness,
  );
  const { rings } = rig.holders[0]!.shared!;
  const deliveries = new RingReader(rings, "deliveries");
  const returns = new RingWriter(rings, "returns");
  arrive(rig, 1);
  const first = frameAt(deliveries.words[deliveries.at]!);
  for (const page of [1, EXTENT_PAGES - 1, 0]) {
    returns.put(frameOffset(first + page), 60, 1, 0);
  }
  returns.publish();
  rig.turn();
  const { pages, refusals: [refused] } = rig.service.counts();
  assert.equal(pages.lent, 0);
  assert.deepEqual(refused!.refusals, { "forged-page": 2 });
});

Deno.test("as many entries as a ring has are read, and one more than that is a lie, of which nothing is", () => {
  const cases = [[RING_ENTRIES, "forged-page"], [
    RING_ENTRIES + 1,
    "lying-ring",
  ]] as const;
  for (const [count, refusal] of cases) {
    using rig = new Rig([{ ...echo, trusted: true }]);
    const { rings } = rig.holders[0]!.shared!;
    const deliveries = new RingReader(rings, "deliveries");
    const returns = new RingWriter(rings, "returns");
    const refused = () => rig.service.counts().refusals[0]!.refusals;
    for (let i = 0; i < count; i++) returns.put(0, 0, 1, 0);
    returns.publish();
    rig.turn();
    const strikes = refusal === "lying-ring" ? 1 : count;
    assert.deepEqual(refused(), { [refusal]: strikes });
    // What is put in behind it is read.
    arrive(rig, 1);
    returns.put(deliveries.words[deliveries.at]!, 0, 1, 0);
    returns.publish();
    rig.turn();
    assert.equal(rig.service.counts().pages.lent, 0);
    assert.deepEqual(refused(), { [refusal]: strikes });
  }
});
