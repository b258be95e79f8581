/** Holders that are trusted with packet memory: served as the others, and held to the same rules. */

import assert from "node:assert/strict";
import {
  CHECKSUM_PARTIAL,
  GSO_NONE,
  offloadWord,
} from "../../../caps/port/offload.ts";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
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
import { type Delivery, INLINE_BYTES_MAX } from "../../../caps/port/records.ts";
import { takeAll } from "../../../caps/port/port.ts";
import { STRIKES_MAX } from "../../../drivers/service/holder.ts";
import { NEVER } from "../../../services/runtime/clock.ts";
import type { Core, Frame } from "../../../services/core/core.ts";
import { matches } from "../../../services/filter/tree/reference.ts";
import { witness } from "../../arbitraries/witness.ts";
import { testProperty } from "../../property.ts";
import {
  discard,
  echo,
  extentPlans,
  frames,
  pings,
  plans,
  superFrames,
} from "./plans.ts";
import { runOn } from "./cores.ts";
import { type HolderPlan, packetsOf, Rig, type TestHolder } from "./rig.ts";

const file = import.meta.url;

/** Answers what has an even length from the port that it came to, and of every second one has the checksum completed; notes everything. */
class NotingCore implements Core {
  readonly wakeAt = NEVER;
  readonly seen: string[] = [];

  receive(frame: Frame) {
    const { bytes, start, length } = frame;
    assert.ok(length <= frame.capacity);
    const text = bytes.slice(start, start + length).toHex();
    this.seen.push(`${text} ${frame.offload}`);
    if (length < 38) return "drop:short" as const;
    if (length % 2 === 1) return "handled" as const;
    // One byte shorter, from one byte on.
    frame.bytes[start + 35] = 7;
    frame.length = length - 2;
    frame.offload = length % 4 === 0
      ? offloadWord(CHECKSUM_PARTIAL, GSO_NONE, 0)
      : 0;
    return "reply" as const;
  }

  wake(): void {}

  counters() {
    return {};
  }
}

/** Runs cores on all holders of `rig` that live, frame by frame; what they saw, what went out, what was counted. */
async function play(rig: Rig, batches: readonly Uint8Array[][]) {
  const cores = rig.holders.map((holder) => {
    const core = new NotingCore();
    return { core, runner: runOn(holder, core) };
  });
  const sent: string[] = [];
  for (const batch of batches) {
    for (const frame of batch) rig.far.send(frame, 0, frame.length);
    for (let turns = 0; turns < 3 || !rig.service.quiet; turns++) {
      assert.ok(turns < 100, "the holders never give everything back");
      rig.turn();
      await setImmediate();
    }
    sent.push(...rig.sent().map((frame) => frame.toHex()));
  }
  const { accounts, pages, refusals } = rig.service.counts();
  for (const { runner } of cores) runner[Symbol.dispose]();
  return {
    seen: cores.map(({ core }) => core.seen),
    // Holders answer each in a turn of its own.
    sent: sent.sort(),
    accounts,
    pages,
    refusals,
  };
}

/** What is the same however packets of up to `longest` bytes are handed over. */
function sameWays(
  frames: fc.Arbitrary<Uint8Array<ArrayBuffer>>,
  longest: number,
  makeRig: (plans: readonly HolderPlan[]) => Rig,
): fc.IRawProperty<unknown> {
  return fc.asyncProperty(
    fc.array(fc.array(frames, { maxLength: 6 }), { maxLength: 6 }),
    async (batches) => {
      const ways = [
        { copyBytesMax: longest },
        { copyBytesMax: 0 },
        { copyBytesMax: 0, trusted: true },
        { copyBytesMax: 0, called: true },
      ];
      const results = [];
      for (const way of ways) {
        using rig = makeRig(plans.map((plan) => ({ ...plan, ...way })));
        results.push(await play(rig, batches));
      }
      assert.deepEqual(results[1], results[0]);
      assert.deepEqual(results[2], results[0]);
      assert.deepEqual(results[3], results[0]);
    },
  );
}

testProperty(
  "packed, swapped, shared or called: holders see the same packets, the same frames go out, the same is counted",
  { runs: 40, file },
  sameWays(
    frames,
    4096,
    (plans) => new Rig(plans.map((plan) => ({ ...plan, quotaPages: 12 }))),
  ),
);

testProperty(
  "and so it is where packets come in extents",
  { runs: 20, file },
  sameWays(
    superFrames.filter(({ length }) => length <= INLINE_BYTES_MAX),
    INLINE_BYTES_MAX,
    (plans) =>
      new Rig(
        plans.map((plan) => ({ ...plan, quotaPages: 12 * EXTENT_PAGES })),
        64,
        1,
        { extents: 48, superPackets: true },
      ),
  ),
);

/** What a trusted holder may do to its rings, while `frames` arrive. */
const movesWith = (frames: fc.Arbitrary<Uint8Array<ArrayBuffer>>) =>
  fc.oneof(
    fc.record({ does: fc.constant("frame" as const), frame: frames }),
    fc.record({ does: fc.constant("return" as const), length: fc.nat(2000) }),
    fc.record({ does: fc.constant("return twice" as const) }),
    fc.record({
      does: fc.constant("forge" as const),
      offset: fc.oneof(
        fc.nat(0xffffffff),
        fc.integer({ min: -2, max: 20 }).map((frame) =>
          frameOffset(frame) >>> 0
        ),
      ),
      length: fc.oneof(fc.nat(1600), fc.nat(0xffffffff)),
      slot: fc.oneof(fc.nat(4), fc.nat(0xffffffff)),
    }),
    fc.record({
      does: fc.constant("scribble" as const),
      word: fc.oneof(fc.constantFrom(0, 16, 32), fc.nat(RING_ENTRIES * 4)),
      value: fc.oneof(fc.nat(0xffffffff), fc.nat(3000)),
      ring: fc.boolean(),
    }),
    fc.record({ does: fc.constant("revoke" as const) }),
    fc.record({ does: fc.constant("detach" as const) }),
  );

/** What holds whatever the first holder of a rig, which is trusted, does. */
function keepsOthers(
  frames: fc.Arbitrary<Uint8Array<ArrayBuffer>>,
  makeRig: () => Rig,
): fc.IRawProperty<unknown> {
  const moves = fc.array(movesWith(frames), { maxLength: 60 });
  return fc.property(moves, (moves) => {
    using rig = makeRig();
    const [holder, other] = rig.holders as [TestHolder, TestHolder];
    const { rings } = holder.shared!;
    const returns = new RingWriter(rings, "returns");
    const deliveries = new RingReader(rings, "deliveries");
    const half = rings.byteLength / 8;
    let over = false;
    let kept: Delivery[] = [];
    for (const move of moves) {
      if (move.does === "frame") {
        rig.far.send(move.frame, 0, move.frame.length);
      } else if (move.does === "return" || move.does === "return twice") {
        const { at, words, available } = deliveries;
        if (available === 0 || available > RING_ENTRIES) continue;
        const length = "length" in move ? move.length : 0;
        for (let i = 0; i < (move.does === "return" ? 1 : 2); i++) {
          returns.put(words[at]!, length, words[at + 2]!, 0);
        }
        deliveries.advance(1);
      } else if (move.does === "forge") {
        returns.put(move.offset, move.length, move.slot, 0);
      } else if (move.does === "scribble") {
        new Uint32Array(rings)[(move.ring ? half : 0) + move.word] = move.value;
      } else if (over) continue;
      else {
        over = true;
        if (move.does === "revoke") rig.revoke(1);
        else rig.service.detach(1);
      }
      if (move.does !== "scribble") returns.publish();
      rig.turn();
      for (const frame of rig.sent()) {
        assert.ok(matches(echo.sends, frame, 0, frame.length));
      }
      for (const d of kept) {
        other.port.post({ ...d, records: emptied(d.records, d.count) });
      }
      // What has just come it keeps a while: somebody may claim it meanwhile.
      kept = [...takeAll(other.port)].filter(({ count }) => count > 0);
      rig.turn();
      const { refusals } = rig.service.counts();
      const ofOther = refusals.find(({ port }) => port === other.id)!;
      assert.deepEqual(ofOther.refusals, {}, "a page was taken by another");
      for (const { heldPages, quotaPages } of rig.service.counts().accounts) {
        assert.ok(heldPages <= quotaPages);
      }
    }
    for (const d of kept) other.port.post(d);
    rig.turn();
    rig.sent();
    // What the other is sent still comes, whatever the first one keeps.
    const before = rig.service.counts().accounts
      .find(({ slot }) => slot === 2)!.deliveredPackets;
    const frame = witness(discard.receives[0]!);
    rig.far.send(frame, 0, frame.length);
    rig.turn();
    const after = rig.service.counts().accounts.find(({ slot }) => slot === 2)!;
    assert.equal(after.deliveredPackets, before + 1);
  });
}

testProperty(
  "whatever a trusted holder does to its rings: pages are conserved, the others get their packets, and only permitted frames go out",
  { runs: 150, file },
  keepsOthers(
    frames,
    () => new Rig([{ ...echo, trusted: true }, discard], 24),
  ),
);

testProperty(
  "and so it is where what it is shown lies in extents",
  { runs: 150, file },
  keepsOthers(superFrames, () => {
    const [echo, discard] = extentPlans as [HolderPlan, HolderPlan];
    const likeness = { extents: 12, superPackets: true };
    return new Rig([{ ...echo, trusted: true }, discard], 24, 1, likeness);
  }),
);

/** Records of which none is to be sent. */
function emptied(records: ArrayBuffer, count: number): ArrayBuffer {
  const words = new Uint32Array(records);
  for (let i = 0; i < count; i++) words[i * 6] = 0;
  return records;
}

/** `count` packets for the holder of `plan` arrive. */
function arrive(rig: Rig, count: number): void {
  const frame = witness(echo.receives[0]!);
  for (let i = 0; i < count; i++) rig.far.send(frame, 0, frame.length);
  rig.turn();
}

Deno.test("a trusted holder has no more pages than its quota; the rest is dropped and counted", () => {
  using rig = new Rig([{ ...echo, quotaPages: 3, trusted: true }, pings]);
  const deliveries = new RingReader(
    rig.holders[0]!.shared!.rings,
    "deliveries",
  );
  arrive(rig, 5);
  assert.equal(deliveries.available, 3);
  const [account] = rig.service.counts().accounts;
  assert.equal(account!.heldPages, 3);
  assert.deepEqual(account!.drops, { "no-page": 2 });
});

Deno.test("an extent costs its trusted holder all of its pages", () => {
  const quotaPages = 3 * EXTENT_PAGES - 1;
  using rig = new Rig(
    [{ ...echo, quotaPages, trusted: true }, pings],
    64,
    1,
    { extents: 16, superPackets: true },
  );
  arrive(rig, 5);
  const [account] = rig.service.counts().accounts;
  assert.equal(account!.heldPages, 2 * EXTENT_PAGES);
  assert.deepEqual(account!.drops, { "no-page": 3 });
});

Deno.test("after a revocation a trusted holder gets nothing more, and what it gives back is taken", () => {
  using rig = new Rig([{ ...echo, trusted: true }, pings]);
  const { rings } = rig.holders[0]!.shared!;
  const deliveries = new RingReader(rings, "deliveries");
  arrive(rig, 2);
  rig.revoke(1);
  arrive(rig, 2);
  assert.equal(deliveries.available, 2);
  assert.equal(rig.service.counts().pages.lent, 2);
  const returns = new RingWriter(rings, "returns");
  for (let i = 0; i < 2; i++) {
    const { at, words } = deliveries;
    // To be sent, even: under a capability that has ended.
    returns.put(words[at]!, 60, words[at + 2]!, 0);
    deliveries.advance(1);
  }
  returns.publish();
  rig.turn();
  assert.equal(rig.service.counts().pages.lent, 0);
  assert.deepEqual(rig.sent(), []);
  assert.ok(
    rig.reports.some((report) =>
      report.kind === "drained" && report.slots.includes(1)
    ),
  );
});

Deno.test("pages of a trusted holder that is gone are quarantined, and its ring is read no more", () => {
  using rig = new Rig([{ ...echo, trusted: true }, pings]);
  const { rings } = rig.holders[0]!.shared!;
  const deliveries = new RingReader(rings, "deliveries");
  arrive(rig, 2);
  rig.service.detach(1);
  const returns = new RingWriter(rings, "returns");
  returns.put(deliveries.words[deliveries.at]!, 0, 1, 0);
  returns.publish();
  rig.turn();
  assert.equal(rig.service.counts().pages.quarantined, 2);
});

Deno.test("a ring that says more than it can hold costs its holder strikes, and in the end its place", () => {
  using rig = new Rig([{ ...echo, trusted: true }, pings]);
  const words = new Uint32Array(rig.holders[0]!.shared!.rings);
  const produced = words.length / 2;
  for (let i = 1; i <= STRIKES_MAX; i++) {
    words[produced] = i * (RING_ENTRIES + 1);
    rig.service.turn();
  }
  assert.deepEqual(rig.cutOff, [1]);
});

Deno.test("no frame is taken that was not lent to this very holder, wherever it is said to be", () => {
  using rig = new Rig([{ ...echo, trusted: true }, discard]);
  arrive(rig, 1);
  const ofOther = witness(discard.receives[0]!);
  rig.far.send(ofOther, 0, ofOther.length);
  rig.turn();
  const [packet] = packetsOf(rig.holders[1]!.port.take()!);
  const { rings } = rig.holders[0]!.shared!;
  const words = new Uint32Array(rings);
  const offset = words[32]!;
  const returns = new RingWriter(rings, "returns");
  returns.put(frameOffset(frameAt(offset) + 1), 0, 1, 0);
  returns.put(frameOffset(packet!.frame), 0, 1, 0);
  returns.put(0, 0, 1, 0);
  returns.put(0xffffffff, 60, 1, 0);
  returns.publish();
  rig.turn();
  const [refusals] = rig.service.counts().refusals;
  assert.deepEqual(refusals!.refusals, { "forged-page": 4 });
  assert.equal(rig.service.counts().pages.lent, 2);
});
