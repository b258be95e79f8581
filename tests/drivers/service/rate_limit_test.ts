import assert from "node:assert/strict";
import fc from "fast-check";
import { BURST_MS, type RateLimit } from "../../../caps/kernel/rate_limit.ts";
import {
  type Delivery,
  INLINE,
  RecordView,
  STRING_BYTES,
} from "../../../caps/port/records.ts";
import { takeAll } from "../../../caps/port/port.ts";
import { makeMeters, Meter } from "../../../drivers/service/meter.ts";
import { witness } from "../../arbitraries/witness.ts";
import { testProperty } from "../../property.ts";
import { discard, echo } from "./plans.ts";
import { Rig, type TestHolder } from "./rig.ts";

const file = import.meta.url;
const PACKET_BYTES_MAX = 1514;
/** What adding many small numbers may be wrong by. */
const ROUNDING = 1e-6;

const limit: fc.Arbitrary<RateLimit> = fc.oneof(
  fc.record({ packetsPerSecond: fc.integer({ min: 1, max: 5000 }) }),
  fc.record({ bytesPerSecond: fc.integer({ min: 100, max: 5_000_000 }) }),
  fc.record({
    packetsPerSecond: fc.integer({ min: 1, max: 5000 }),
    bytesPerSecond: fc.integer({ min: 100, max: 5_000_000 }),
  }),
);

interface Arrival {
  readonly afterMs: number;
  readonly bytes: number;
}

const arrivals = fc.array(
  fc.record({
    afterMs: fc.oneof(
      fc.constant(0),
      fc.double({ min: 0, max: 50, noNaN: true }),
      fc.integer({ min: 0, max: 5000 }),
    ),
    bytes: fc.integer({ min: 14, max: PACKET_BYTES_MAX }),
  }),
  { maxLength: 200, size: "max" },
);

interface Passed {
  readonly atMs: number;
  readonly bytes: number;
}

function pass(meter: Meter, all: readonly Arrival[]): Passed[] {
  const passed: Passed[] = [];
  let atMs = 0;
  for (const { afterMs, bytes } of all) {
    atMs += afterMs;
    if (!meter.admits(bytes, atMs)) continue;
    meter.charge(bytes);
    passed.push({ atMs, bytes });
  }
  return passed;
}

/** Fails when some window has more than its rate and a burst. */
function checkWindows(passed: readonly Passed[], limit: RateLimit): void {
  const { packetsPerSecond = Infinity, bytesPerSecond = Infinity } = limit;
  for (let from = 0; from < passed.length; from++) {
    let bytes = 0;
    for (let to = from; to < passed.length; to++) {
      bytes += passed[to]!.bytes;
      const windowMs = passed[to]!.atMs - passed[from]!.atMs;
      const seconds = (windowMs + BURST_MS) / 1000;
      assert.ok(to - from + 1 <= packetsPerSecond * seconds + 1 + ROUNDING);
      const most = bytesPerSecond * seconds + PACKET_BYTES_MAX;
      assert.ok(bytes <= most + ROUNDING);
    }
  }
}

testProperty(
  "whatever comes when: in no window more goes through than the rate gives and a burst",
  { runs: 300, file },
  fc.property(limit, arrivals, (limit, arrivals) => {
    const meter = new Meter(limit, PACKET_BYTES_MAX, undefined);
    checkWindows(pass(meter, arrivals), limit);
  }),
);

testProperty(
  "however often a capability is derived: all together stay within the limit of the first, and each within its own",
  { runs: 200, file },
  fc.property(
    limit,
    fc.array(fc.option(limit), { minLength: 1, maxLength: 4 }),
    arrivals,
    fc.infiniteStream(fc.nat()),
    (first, limits, arrivals, choices) => {
      const parent = makeMeters(first, PACKET_BYTES_MAX, undefined)!;
      const all = limits.map((own) =>
        makeMeters(own ?? undefined, PACKET_BYTES_MAX, parent)!.delivered
      );
      const passed: (Passed & { readonly by: number })[] = [];
      let atMs = 0;
      for (const { afterMs, bytes } of arrivals) {
        atMs += afterMs;
        const by = choices.next().value % all.length;
        if (!all[by]!.admits(bytes, atMs)) continue;
        all[by]!.charge(bytes);
        passed.push({ atMs, bytes, by });
      }
      checkWindows(passed, first);
      limits.forEach((own, i) =>
        checkWindows(passed.filter(({ by }) => by === i), own ?? first)
      );
    },
  ),
);

testProperty(
  "who stays under its rate loses nothing, when it is served at least as often as a burst lasts",
  { runs: 200, file },
  fc.property(
    fc.integer({ min: 1, max: 5000 }),
    fc.array(fc.double({ min: 0, max: 2, noNaN: true }), {
      maxLength: 200,
      size: "max",
    }),
    fc.infiniteStream(fc.double({ min: 1, max: BURST_MS - 1, noNaN: true })),
    (packetsPerSecond, pauses, turns) => {
      const meter = new Meter({ packetsPerSecond }, 1514, undefined);
      const intervalMs = 1000 / packetsPerSecond;
      let arrivesMs = 0;
      let turnMs = 0;
      for (const pause of pauses) {
        // A little more than the interval: on it, rounding decides.
        arrivesMs += intervalMs * (1.000001 + pause);
        while (turnMs < arrivesMs) turnMs += turns.next().value;
        assert.ok(meter.admits(60, turnMs), "dropped, under its rate");
        meter.charge(60);
      }
    },
  ),
);

Deno.test("a limited capability's packets beyond its rate are dropped and counted on it, and others lose nothing", () => {
  const limit = { packetsPerSecond: 20 };
  using rig = new Rig([{ ...echo, copyBytesMax: 4096, limit }, {
    ...discard,
    copyBytesMax: 4096,
  }]);
  const frames = [echo, discard].map(({ receives }) => witness(receives[0]!));
  const delivered = () =>
    rig.service.counts().accounts.map((one) => one.deliveredPackets);
  const offer = (count: number) => {
    for (let i = 0; i < count; i++) {
      for (const frame of frames) rig.far.send(frame, 0, frame.length);
      rig.turn();
      giveBack(rig);
    }
  };
  offer(10);
  // What 100 ms give, and one.
  assert.deepEqual(delivered(), [3, 10]);
  rig.nowMs += 100;
  offer(10);
  assert.deepEqual(delivered(), [5, 20]);
  assert.deepEqual(
    rig.service.counts().accounts.map(({ drops }) => drops),
    [{ "rate-limit": 15 }, {}],
  );
});

Deno.test("a limited page holder drops at its rate without holding a page for it", () => {
  const limit = { bytesPerSecond: 1 };
  using rig = new Rig([{ ...discard, quotaPages: 8, limit }]);
  const frame = new Uint8Array(1500);
  frame.set(witness(discard.receives[0]!));
  for (let i = 0; i < 4; i++) rig.far.send(frame, 0, frame.length);
  rig.turn();
  const { heldPages, deliveredPackets, drops } = rig.account(1)!;
  assert.deepEqual([heldPages, deliveredPackets], [1, 1]);
  assert.deepEqual(drops, { "rate-limit": 3 });
});

Deno.test("what is sent has a rate of its own, and is counted where it was dropped", () => {
  const limit = { packetsPerSecond: 20 };
  using rig = new Rig([{ ...echo, quotaPages: 32, limit }, {
    ...discard,
    quotaPages: 32,
    limitedBy: 1,
  }]);
  const request = witness(echo.receives[0]!);
  for (let i = 0; i < 4; i++) rig.far.send(request, 0, request.length);
  rig.turn();
  assert.equal(rig.account(1)!.deliveredPackets, 3);
  const [own, child] = rig.holders;
  send(child!, witness(discard.sends[0]!));
  rig.turn();
  for (let i = 0; i < 4; i++) send(own!, witness(echo.sends[0]!));
  rig.turn();
  // The child's one and two of its parent's: they share the parent's rate.
  assert.equal(rig.sent().length, 3);
  assert.deepEqual(rig.account(1)!.drops, {
    "rate-limit": 1,
    "send-rate-limit": 2,
  });
  assert.deepEqual(rig.account(2)!.drops, {});
});

Deno.test("a capability is not opened without the limit that it is under", () => {
  using rig = new Rig([{ ...echo, limitedBy: 7 }]);
  const request = witness(echo.receives[0]!);
  rig.far.send(request, 0, request.length);
  rig.turn();
  assert.equal(rig.account(1), undefined);
  assert.equal(rig.holders[0]!.port.take(), undefined);
  assert.equal(rig.service.counts().unclaimedPackets, 1);
});

Deno.test("an observer's copies are limited, and the owner's packets are not", () => {
  const limit = { packetsPerSecond: 1 };
  using rig = new Rig([{ ...echo, copyBytesMax: 4096 }, {
    ...echo,
    observes: true,
    limit,
  }]);
  const request = witness(echo.receives[0]!);
  for (let i = 0; i < 5; i++) rig.far.send(request, 0, request.length);
  rig.turn();
  assert.equal(rig.account(1)!.deliveredPackets, 5);
  assert.equal(rig.account(2)!.deliveredPackets, 1);
  assert.deepEqual(rig.account(2)!.drops, { "rate-limit": 4 });
});

function send(holder: TestHolder, frame: Uint8Array): void {
  const view = new RecordView(new ArrayBuffer(STRING_BYTES));
  view.bytes.set(frame, 24);
  view.putInline(0, frame.length);
  const { capability } = holder;
  holder.port.post({
    capabilities: [capability],
    records: view.bytes.buffer,
    count: 1,
    pages: [],
  });
}

function giveBack(rig: Rig): void {
  for (const { port } of rig.holders) {
    for (let d = port.take(); d !== undefined; d = port.take()) {
      emptied(d);
      port.post(d, [d.records, ...d.pages]);
    }
  }
  rig.turn();
}

function emptied({ records, count }: Delivery): void {
  const view = new RecordView(records);
  for (let i = 0, at = 0; i < count; i++) {
    view.setLength(at, 0);
    at += view.stride(at);
  }
}

/** Gives back all that came, and has nothing of it sent. */
function takeAndGiveBack(rig: Rig): void {
  const [{ port }] = rig.holders as [TestHolder];
  for (const delivery of takeAll(port)) {
    const view = new RecordView(delivery.records);
    let at = 0;
    let back = 0;
    let count = 0;
    for (let i = 0; i < delivery.count; i++) {
      const [page, next] = [view.page(at), at + view.stride(at)];
      if (page !== INLINE) {
        back = view.putPage(back, 0, view.frame(at), 0, page);
        count++;
      }
      at = next;
    }
    const { records, pages } = delivery;
    port.post({ ...delivery, count }, [records, ...pages]);
  }
  rig.turn();
}

/** Frames of packet memory: after as many drops a NIC has none, were they not given back. */
const FRAMES = 128;

/** Has packets arrive until one is dropped, which is soon. */
function arriveUntil(dropped: () => boolean): void {
  for (let i = 0; i < FRAMES; i++) if (dropped()) return;
  assert.fail("none was dropped");
}

for (const why of ["no-page", "no-string"] as const) {
  Deno.test(`a packet that is dropped for ${why} takes nothing from a rate, and its frame is free`, () => {
    // As many as may come at once: the rate gives no more in this test.
    const most = 40;
    const limit = { packetsPerSecond: 1000 * (most - 1) / BURST_MS };
    const quotaPages = why === "no-page" ? 3 : most;
    using rig = new Rig([
      { ...discard, quotaPages, limit },
      { ...echo, copyBytesMax: 4096, on: 1 },
    ], FRAMES);
    const arrive = (id: number, lengthBytes = 60) => {
      const frame = new Uint8Array(lengthBytes);
      frame.set(witness(rig.holders[id - 1]!.receives[0]!));
      rig.far.send(frame, 0, lengthBytes);
      rig.turn();
      return rig.account(id)!;
    };
    // Another's packets fill the holder's byte strings.
    const drops = (id: number, lengthBytes?: number) => () =>
      arrive(id, lengthBytes).drops[why] === 1;
    if (why === "no-string") arriveUntil(drops(2, 1500));
    arriveUntil(drops(1));
    for (let i = 1; i < FRAMES; i++) arrive(1);
    const { heldPages, deliveredPackets, drops: dropped } = rig.account(1)!;
    assert.deepEqual(dropped, { [why]: FRAMES });
    assert.equal(deliveredPackets, heldPages);
    const { pages } = rig.service.counts();
    assert.equal(pages.lent, heldPages);
    assert.equal(pages.free + pages.lent, pages.total);
    takeAndGiveBack(rig);
    takeAndGiveBack(rig);
    for (let i = heldPages; i < most; i++) {
      assert.equal(arrive(1).deliveredPackets, i + 1);
      takeAndGiveBack(rig);
    }
    assert.deepEqual(arrive(1).drops, { ...dropped, "rate-limit": 1 });
  });
}
