import assert from "node:assert/strict";
import fc from "fast-check";
import { INTERPOSED_LIMITS } from "../../../caps/driver/messages.ts";
import { makePipe, takeAll } from "../../../caps/port/port.ts";
import {
  type Delivery,
  IN_FLIGHT_MAX,
  RecordView,
  STRING_BYTES,
} from "../../../caps/port/records.ts";
import { TagGenerator, tagOf } from "../../../caps/kernel/tag.ts";
import { TagTable } from "../../../caps/kernel/tag_table.ts";
import { RingReader, RingWriter } from "../../../caps/port/trusted_ring.ts";
import { Holder, MESSAGES_PER_TURN } from "../../../drivers/service/holder.ts";
import { PAUSE_MS_MAX, Penalty } from "../../../drivers/service/penalty.ts";
import { witness } from "../../arbitraries/witness.ts";
import { testProperty } from "../../property.ts";
import { discard, echo } from "./plans.ts";
import { Rig, type TestHolder } from "./rig.ts";

const file = import.meta.url;

testProperty(
  "a pause is never longer than the longest, doubles while guessing goes on, and is forgiven in time",
  { runs: 200, file },
  fc.property(
    fc.array(fc.double({ min: 0, max: 400, noNaN: true }), { maxLength: 50 }),
    (afters) => {
      const penalty = new Penalty();
      let nowMs = 0;
      let before = 0;
      for (const after of afters) {
        nowMs += after;
        penalty.impose(nowMs);
        const pauseMs = penalty.untilMs - nowMs;
        assert.ok(pauseMs >= 1 - 1e-6 && pauseMs <= PAUSE_MS_MAX + 1e-6);
        if (after < 250) {
          assert.ok(pauseMs >= Math.min(PAUSE_MS_MAX, before * 2) - 1e-6);
        }
        before = pauseMs;
      }
      nowMs += 10_000;
      assert.ok(!penalty.isSuspect(nowMs));
      penalty.impose(nowMs);
      assert.ok(penalty.untilMs - nowMs <= 1 + 1e-6);
    },
  ),
);

Deno.test("a holder is suspect during a pause, and for as long after it as its void tags count", () => {
  const penalty = new Penalty();
  assert.ok(!penalty.isSuspect(0));
  penalty.impose(0);
  penalty.impose(0);
  assert.equal(penalty.untilMs, 2);
  const suspect = [0, 1.9, 2, 249.9, 250, 499.9, 500, 10_000]
    .filter((nowMs) => penalty.isSuspect(nowMs));
  assert.deepEqual(suspect, [0, 1.9, 2, 249.9, 250, 499.9]);
});

testProperty(
  "whoever guesses: the others' frames go out in the turn that they came, and the guesser's own at most one pause later",
  { runs: 60, file },
  fc.property(
    fc.array(
      fc.record({
        afterMs: fc.double({ min: 0, max: 30, noNaN: true }),
        guesses: fc.nat(IN_FLIGHT_MAX),
      }),
      { maxLength: 30 },
    ),
    (steps) => {
      using rig = new Rig([{ ...echo, quotaPages: 64 }, {
        ...discard,
        quotaPages: 64,
      }]);
      const [guesser, other] = rig.holders as [TestHolder, TestHolder];
      let underWay = 0;
      for (const { afterMs, guesses } of steps) {
        rig.nowMs += afterMs;
        for (let i = 0; i < guesses && underWay < IN_FLIGHT_MAX; i++) {
          send(guesser, BigInt(i + 1), echo);
          underWay++;
        }
        send(other, other.capability, discard);
        rig.turn();
        assert.equal(rig.sent().length, 1);
        underWay -= takeHome(guesser);
        takeHome(other);
      }
      rig.nowMs += PAUSE_MS_MAX;
      rig.turn();
      assert.equal(takeHome(guesser), underWay);
      send(guesser, guesser.capability, echo);
      rig.nowMs += PAUSE_MS_MAX;
      rig.turn();
      assert.equal(rig.sent().length, 1);
      assert.deepEqual(rig.cutOff, []);
    },
  ),
);

Deno.test("of guesses that never end few are looked at, and then no more", () => {
  using rig = new Rig([echo, discard]);
  const [guesser] = rig.holders as [TestHolder];
  const seen = () =>
    rig.service.counts().refusals
      .find(({ port }) => port === 1)?.refusals["void-capability"] ?? 0;
  let underWay = 0;
  const guess = (ms: number) => {
    rig.nowMs = ms;
    for (; underWay < IN_FLIGHT_MAX; underWay++) send(guesser, 99n, echo);
    rig.turn();
    underWay -= takeHome(guesser);
  };
  for (let ms = 0; ms < 100; ms++) guess(ms);
  // One turn's worth after each of the pauses: 1, 2, 4, 8, 16, 16, … ms.
  assert.ok(
    seen() <= IN_FLIGHT_MAX * 10,
    `${seen()} guesses were looked at`,
  );
  assert.ok(seen() > 0);
  for (let ms = 100; ms < 20_000 && rig.cutOff.length === 0; ms++) guess(ms);
  assert.deepEqual(rig.cutOff, [1]);
  assert.ok(rig.nowMs < 6000, `cut off only after ${rig.nowMs} ms`);
});

Deno.test("a million guessed tags name none of sixty thousand live ones", () => {
  const tags = new TagGenerator((out) => crypto.getRandomValues(out));
  const table = new TagTable(65536);
  for (let slot = 1; slot <= 60_000; slot++) table.insert(tags.next(), slot);
  const guess = new TagGenerator((out) => crypto.getRandomValues(out));
  for (let i = 0; i < 1_000_000; i++) {
    const { low, high } = guess.next();
    assert.equal(table.find(low, high), 0);
  }
});

Deno.test("what a void tag is answered does not tell another's from a stale one, nor from none at all", () => {
  const answers = ["another's", "stale", "guessed"].map((kind) => {
    using rig = new Rig([echo, discard, { ...discard, receives: [] }]);
    const [asker, other] = rig.holders as [TestHolder, TestHolder];
    if (kind === "stale") rig.revoke(1);
    const tag = kind === "another's"
      ? other.capability
      : kind === "stale"
      ? asker.capability
      : 0x1234_5678_9abcn;
    assert.ok(tagOf(tag) !== undefined);
    send(asker, tag, echo);
    rig.turn();
    const home = asker.port.take();
    const { refusals, sentPackets } = rig.service.counts();
    return { refusals, sentPackets, home };
  });
  assert.deepEqual(answers[0], answers[1]);
  assert.deepEqual(answers[0], answers[2]);
  assert.equal(answers[0]!.sentPackets, 0);
});

function send(
  { port }: TestHolder,
  tag: bigint,
  { sends }: { readonly sends: typeof echo.sends },
): void {
  const frame = witness(sends[0]!);
  const view = new RecordView(new ArrayBuffer(STRING_BYTES));
  view.bytes.set(frame, 24);
  view.putInline(0, frame.length);
  port.post({
    capabilities: [tag],
    records: view.bytes.buffer,
    count: 1,
    pages: [],
  });
}

/** Byte strings that come back after a send are taken off a port. Returns how many. */
function takeHome({ port }: TestHolder): number {
  return [...takeAll(port)].length;
}

Deno.test("what a trusted holder had when its capability was revoked comes back at no cost", () => {
  const frames = 60;
  using rig = new Rig(
    [{ ...echo, quotaPages: frames, trusted: true }, discard],
    256,
  );
  const { rings } = rig.holders[0]!.shared!;
  const deliveries = new RingReader(rings, "deliveries");
  const returns = new RingWriter(rings, "returns");
  const frame = witness(echo.receives[0]!);
  for (let i = 0; i < frames; i++) rig.far.send(frame, 0, frame.length);
  rig.turn();
  rig.revoke(1);
  for (let i = 0; i < frames; i++) {
    const { at, words } = deliveries;
    returns.put(words[at]!, 60, words[at + 2]!, 0);
    deliveries.advance(1);
    returns.publish();
    // Each in a turn of its own: a pause would leave the next one in the ring.
    rig.service.turn();
    assert.equal(rig.service.counts().pages.lent, frames - 1 - i);
  }
  const [refused] = rig.service.counts().refusals;
  assert.deepEqual(refused!.refusals, { "void-capability": frames });
});

Deno.test("what interposers held when a capability was revoked comes back at no cost, however much it is", () => {
  const [, forDriver] = makePipe<unknown, Delivery>();
  const holder = new Holder(1, forDriver, INTERPOSED_LIMITS);
  holder.excuse();
  for (let i = 0; i < INTERPOSED_LIMITS.inFlightMax; i++) holder.strikeVoid();
  assert.equal(holder.voids, 0);
  assert.equal(holder.tooManyStrikes, false);
  holder.strikeVoid();
  assert.equal(holder.voids, 1);
});

Deno.test("interposers that let go of much at once are no flood", () => {
  const { inFlightMax } = INTERPOSED_LIMITS;
  using rig = new Rig([{ ...echo, inFlightMax }]);
  const holder = rig.holders[0]!;
  for (let turn = 0; turn < 3; turn++) {
    for (let i = 0; i < 3 * MESSAGES_PER_TURN; i++) {
      send(holder, holder.capability, echo);
    }
    rig.turn();
  }
  assert.deepEqual(rig.service.counts().refusals[0]!.refusals, {});
});
