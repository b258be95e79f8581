import assert from "node:assert/strict";
import fc from "fast-check";
import { EXTENT_BYTES, PAGE_BYTES } from "../../../caps/memory/memory.ts";
import { takeAll } from "../../../caps/port/port.ts";
import {
  type Delivery,
  IN_FLIGHT_MAX,
  INLINE_BYTES_MAX,
  RecordView,
  RUN_PAGES_MAX,
} from "../../../caps/port/records.ts";
import { STRIKES_MAX } from "../../../drivers/service/holder.ts";
import { ethernet } from "../../../services/filter/grant/builder.ts";
import { matches } from "../../../services/filter/tree/reference.ts";
import { witness } from "../../arbitraries/witness.ts";
import { framesFor } from "../../arbitraries/grant_frames.ts";
import { testProperty } from "../../property.ts";
import { act, behaviours, send, SENDING } from "./behaviours.ts";
import {
  discard,
  echo,
  extentPlans,
  frames,
  plans,
  superFrames,
} from "./plans.ts";
import { type HolderPlan, packetsOf, Rig, type TestHolder } from "./rig.ts";

const file = import.meta.url;

/** What happens to a driver service at whose NIC `frames` arrive. */
function stepsOf(frames: fc.Arbitrary<Uint8Array<ArrayBuffer>>) {
  const holder = fc.nat({ max: 2 });
  const sends = framesFor(plans.map(({ sends }) => sends));
  const kinds = [
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("frames" as const),
        // Several in one turn fill frames that lie side by side.
        frames: fc.array(frames, { minLength: 1, maxLength: 6 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("holder" as const),
        holder,
        does: behaviours,
        noise: fc.nat(),
        send: fc.oneof(frames, sends)
          .filter(({ length }) => length <= INLINE_BYTES_MAX),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom("revoke" as const, "detach" as const),
        holder,
      }),
    },
  ] as const;
  return fc.array(fc.oneof(...kinds), { maxLength: 40 });
}

/** What holds whatever holders with `plans` do, on rigs that `makeRig` makes. */
function conserves(
  plans: readonly HolderPlan[],
  frames: fc.Arbitrary<Uint8Array<ArrayBuffer>>,
  makeRig: () => Rig,
): fc.IRawProperty<unknown> {
  return fc.property(stepsOf(frames), (steps) => {
    using rig = makeRig();
    const dead = new Set<number>();
    const kept = new Map<number, Delivery[]>();
    for (const step of steps) {
      if (step.kind === "frames") {
        for (const frame of step.frames) rig.far.send(frame, 0, frame.length);
      } else if (step.kind !== "holder") {
        const id = step.holder + 1;
        if (step.kind === "detach") rig.service.detach(id);
        else if (!dead.has(id)) rig.revoke(id);
        dead.add(id);
      } else {
        const holder = rig.holders[step.holder]!;
        const deliveries = kept.get(holder.id) ?? [];
        kept.set(holder.id, deliveries);
        act(rig, holder, deliveries.shift(), step);
      }
      const refused = forgeries(rig);
      rig.turn();
      if (step.kind !== "holder" || step.does === "return") {
        // Less when a holder goes, with its counts.
        assert.ok(
          forgeries(rig) <= refused,
          "an honest holder's page was refused",
        );
      }
      for (const holder of rig.holders) {
        for (const d of takeAll(holder.port)) {
          if (d.count === 0) continue; // only a byte string that comes back
          assert.ok(!dead.has(holder.id), "a delivery after the revocation");
          checkDelivery(holder, d);
          kept.set(holder.id, [...(kept.get(holder.id) ?? []), d]);
        }
      }
      for (const frame of rig.sent()) {
        assert.ok(
          step.kind === "holder" && SENDING.has(step.does),
          "a frame from nowhere",
        );
        assert.ok(frame.length <= 1514, "longer than the wire takes");
        assert.ok(
          matches(plans[step.holder]!.sends, frame, 0, frame.length),
          "a frame went out that its sender may not send",
        );
      }
      for (const { slot, heldPages } of rig.service.counts().accounts) {
        assert.ok(heldPages <= plans[slot - 1]!.quotaPages);
      }
    }
  });
}

testProperty(
  "whatever holders do: pages are conserved, packets reach their owner alone, clean, and only permitted frames go out",
  { runs: 150, file },
  // Few frames, so that each is soon used again.
  conserves(plans, frames, () => new Rig(plans, 16, RUN_PAGES_MAX)),
);

testProperty(
  "and so it is where packets come in extents",
  { runs: 60, file },
  // A quarter more extents than quotas: so many are kept back for holders.
  conserves(extentPlans, superFrames, () => {
    const likeness = { extents: 16, superPackets: true };
    return new Rig(extentPlans, 64, RUN_PAGES_MAX, likeness);
  }),
);

/** Pages that were refused so far. */
function forgeries(rig: Rig): number {
  return rig.service.counts().refusals
    .reduce((sum, { refusals }) => sum + (refusals["forged-page"] ?? 0), 0);
}

function checkDelivery(holder: TestHolder, delivery: Delivery): void {
  const { copyBytesMax } = plans[holder.id - 1]!;
  const pages = delivery.pages.map((page) => new Uint8Array(page.slice(0)));
  const view = new RecordView(delivery.records);
  let at = 0;
  for (const { bytes, inline, start } of packetsOf(delivery)) {
    assert.ok(
      matches(holder.receives, bytes, 0, bytes.length),
      "another's packet",
    );
    assert.equal(inline, bytes.length <= copyBytesMax);
    if (!inline) pages[view.page(at)]!.fill(0, start, start + bytes.length);
    at += view.stride(at);
  }
  for (const page of pages) {
    assert.ok(
      page.every((byte) => byte === 0),
      "bytes of somebody else's in the page",
    );
  }
}

Deno.test("a holder's reply goes out of the very page that it was delivered in", () => {
  using rig = new Rig([{ ...echo, copyBytesMax: 0 }]);
  const holder = rig.holders[0]!;
  const request = witness(echo.receives[0]!);
  rig.far.send(request!, 0, request!.length);
  rig.turn();
  const delivery = holder.port.take()!;
  const view = new RecordView(delivery.records);
  const page = new Uint8Array(delivery.pages[0]!);
  const at = view.start(0) + 34;
  page.copyWithin(at, at + 2, at + 4); // source port ← 7
  holder.port.post(delivery, [delivery.records, ...delivery.pages]);
  rig.turn();
  const [reply] = rig.sent();
  assert.equal((reply![34]! << 8) | reply![35]!, 7);
  assert.deepEqual(reply!.subarray(0, 34), request!.subarray(0, 34));
});

Deno.test("without an empty page put up, a capability's packets are dropped and counted, and nobody else's", () => {
  using rig = new Rig([{ ...echo, copyBytesMax: 0 }, {
    ...discard,
    copyBytesMax: 128,
  }]);
  const toEcho = witness(echo.receives[0]!);
  const toDiscard = witness(discard.receives[0]!);
  for (let i = 0; i < 6; i++) rig.far.send(toEcho!, 0, toEcho!.length);
  rig.far.send(toDiscard!, 0, toDiscard!.length);
  rig.turn();
  const [first, second] = rig.service.counts().accounts;
  assert.equal(first!.deliveredPackets, echo.quotaPages);
  assert.deepEqual(first!.drops, { "no-page": 6 - echo.quotaPages });
  assert.equal(second!.deliveredPackets, 1);
});

Deno.test("a holder whose messages are refused too often is cut off, and its pages are quarantined", () => {
  using rig = new Rig([{ ...echo, copyBytesMax: 0 }, discard]);
  const [holder, other] = rig.holders;
  const frame = witness(echo.receives[0]!);
  rig.far.send(frame!, 0, frame!.length);
  rig.turn();
  for (let i = 0; i < STRIKES_MAX + 10; i++) {
    holder!.port.post({
      capabilities: [BigInt(i + 1)],
      records: 0,
      count: 0,
      pages: [],
    });
    if (i % 16 === 0) rig.turn();
  }
  rig.turn();
  assert.deepEqual(rig.cutOff, [1]);
  assert.equal(rig.service.counts().pages.quarantined, 1);
  assert.ok(!other!.port.closed);
});

testProperty(
  "a holder that has no more under way than it has byte strings is never cut off, and one that has is, at once, and it alone",
  { runs: 100, file },
  fc.property(
    fc.array(fc.nat(IN_FLIGHT_MAX), { maxLength: 20 }),
    fc.nat(40),
    (bursts, more) => {
      using rig = new Rig([echo, discard]);
      const [one, other] = rig.holders;
      const frame = witness(echo.sends[0]!)!;
      const burst = (count: number) => {
        for (let i = 0; i < count; i++) send(one!, one!.capability, frame);
        rig.turn();
      };
      for (const count of bursts) burst(count);
      assert.deepEqual(rig.cutOff, []);
      assert.equal(
        rig.service.counts().refusals[0]!.refusals["flood"],
        undefined,
      );
      burst(IN_FLIGHT_MAX + 1 + more);
      assert.deepEqual(rig.cutOff, [1]);
      assert.ok(!other!.port.closed);
    },
  ),
);

Deno.test("a revoked capability's packets go to its fallback at once, before any new classifier", () => {
  using rig = new Rig([echo, discard]);
  rig.revoke(1);
  const toEcho = witness(echo.receives[0]!);
  rig.far.send(toEcho!, 0, toEcho!.length);
  rig.turn();
  assert.equal(rig.holders[0]!.port.take(), undefined);
  assert.equal(rig.service.counts().unclaimedPackets, 1);
});

Deno.test("the last page of a revoked capability is reported when it has come back", () => {
  using rig = new Rig([{ ...echo, copyBytesMax: 0 }]);
  const holder = rig.holders[0]!;
  const frame = witness(echo.receives[0]!);
  rig.far.send(frame!, 0, frame!.length);
  rig.turn();
  const delivery = holder.port.take()!;
  rig.revoke(1);
  const drained = () =>
    rig.reports.filter(({ kind }) => kind === "drained").length;
  assert.equal(drained(), 0);
  new RecordView(delivery.records).setLength(0, 0);
  holder.port.post(delivery, [delivery.records, ...delivery.pages]);
  rig.turn();
  assert.equal(drained(), 1);
  const { lent, quarantined } = rig.service.counts().pages;
  assert.deepEqual([lent, quarantined], [0, 0]);
});

Deno.test("a page shows nothing of the packets that were in it before", () => {
  const plan = { ...discard, quotaPages: 1 };
  using rig = new Rig([plan], 16);
  const holder = rig.holders[0]!;
  const short = witness(plan.receives[0]!);
  const long = new Uint8Array(1500).fill(0xaa);
  long.set(short);
  // Each frame of the memory has had the long packet before the short one comes.
  for (let i = 0; i < 64; i++) {
    const frame = i < 32 ? long : short;
    rig.far.send(frame, 0, frame.length);
    rig.turn();
    const delivery = holder.port.take()!;
    assert.equal(delivery.count, 1);
    checkDelivery({ ...holder, id: 2 }, delivery);
    new RecordView(delivery.records).setLength(0, 0);
    new Uint8Array(delivery.pages[0]!).fill(0xbb);
    holder.port.post(delivery, [delivery.records, ...delivery.pages]);
    rig.turn();
  }
});

Deno.test("a packet that begins beyond its extent's first page is refused, and the extent goes round as before", () => {
  const plan = { ...extentPlans[1]!, sends: [{}] };
  const likeness = { extents: 16, superPackets: true };
  using rig = new Rig([plan], 64, 1, likeness);
  const holder = rig.holders[0]!;
  const frame = witness(plan.receives[0]!);
  for (const start of [PAGE_BYTES - 1, PAGE_BYTES, EXTENT_BYTES - 5000]) {
    rig.far.send(frame, 0, frame.length);
    rig.turn();
    const delivery = holder.port.take()!;
    const view = new RecordView(delivery.records);
    view.setStart(0, start);
    view.setLength(0, 60);
    holder.port.post(delivery, [delivery.records, ...delivery.pages]);
    rig.turn();
    const { lent, inFlight } = rig.service.counts().pages;
    assert.deepEqual([lent, inFlight], [0, 0]);
    assert.equal(rig.sent().length, start < PAGE_BYTES ? 1 : 0);
  }
  const [refused] = rig.service.counts().refusals;
  assert.deepEqual(refused!.refusals, { "malformed-frame": 2 });
});

Deno.test("a page is not taken from one who was lent another", () => {
  using rig = new Rig([{ ...echo, copyBytesMax: 0 }, discard]);
  const [one, two] = rig.holders;
  for (const { receives } of [echo, discard]) {
    const frame = witness(receives[0]!);
    rig.far.send(frame, 0, frame.length);
  }
  rig.turn();
  const mine = one!.port.take()!;
  const theirs = two!.port.take()!;
  const view = new RecordView(mine.records);
  view.setLength(0, 0);
  const frames = new Uint32Array(mine.records);
  const own = frames[1]!;
  frames[1] = new RecordView(theirs.records).frame(0);
  one!.port.post(structuredClone(mine));
  rig.turn();
  assert.equal(forgeries(rig), 1);
  assert.equal(rig.service.counts().pages.lent, 2);
  frames[1] = own;
  one!.port.post(mine, [mine.records, ...mine.pages]);
  rig.turn();
  assert.equal(forgeries(rig), 1);
  assert.equal(rig.service.counts().pages.lent, 1);
});

Deno.test("pages that lie side by side cross as one buffer, and each frame in it is answered once", () => {
  const plan = { ...discard, sends: discard.receives, quotaPages: 40 };
  using rig = new Rig([plan], 160, RUN_PAGES_MAX);
  const holder = rig.holders[0]!;
  for (let i = 0; i < 40; i++) {
    const numbered = new Uint8Array([...witness(discard.receives[0]!)!, i]);
    rig.far.send(numbered, 0, numbered.length);
  }
  rig.turn();
  const delivery = holder.port.take()!;
  assert.equal(delivery.count, 40);
  // At most 16 pages a buffer: the records have 16 bits for a place in it.
  const sizes = delivery.pages.map(({ byteLength }) => byteLength >>> 12);
  assert.deepEqual(sizes, [16, 16, 8]);
  const packets = packetsOf(delivery);
  assert.deepEqual(packets.map(({ bytes }) => bytes.at(-1)), [
    ...packets.keys(),
  ]);
  // Every frame is named once more at the end: it is freed by then.
  const view = new RecordView(delivery.records);
  view.bytes.copyWithin(40 * 24, 0, 40 * 24);
  const again = { ...delivery, count: 80 };
  holder.port.post(again, [delivery.records, ...delivery.pages]);
  rig.turn();
  assert.deepEqual(rig.sent().map((sent) => sent.at(-1)), [...packets.keys()]);
  assert.equal(forgeries(rig), 40);
  assert.equal(rig.service.counts().pages.lent, 0);
});

Deno.test("whatever others have in flight, a holder's quota is there when it sends", () => {
  const greedy = { ...echo, sends: ethernet().grant, quotaPages: 40 };
  const modest = { ...discard, sends: ethernet().grant, quotaPages: 8 };
  using rig = new Rig([greedy, modest], 64);
  rig.driver.stalled = true;
  const frame = new Uint8Array(60);
  for (const [holder, count] of [[0, 40], [1, 8]] as const) {
    const { [holder]: one } = rig.holders;
    for (let i = 0; i < count + 1; i++) {
      send(one!, one!.capability, frame);
      rig.turn();
    }
  }
  const { accounts, pages } = rig.service.counts();
  assert.equal(pages.inFlight, 48);
  assert.deepEqual(accounts.map(({ drops }) => drops), [
    { "send-no-page": 1 },
    { "send-no-page": 1 },
  ]);
});
