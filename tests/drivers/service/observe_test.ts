import assert from "node:assert/strict";
import fc from "fast-check";
import { CHECKSUM_MAY_BE_PARTIAL } from "../../../caps/port/offload.ts";
import { takeAll } from "../../../caps/port/port.ts";
import { INLINE_BYTES_MAX, RecordView } from "../../../caps/port/records.ts";
import { ethernet, ipv4 } from "../../../services/filter/grant/builder.ts";
import { matches } from "../../../services/filter/tree/reference.ts";
import { witness } from "../../arbitraries/witness.ts";
import { testProperty } from "../../property.ts";
import { discard, echo, frames } from "./plans.ts";
import { packetsOf, Rig } from "./rig.ts";

const file = import.meta.url;

testProperty(
  "observers get a copy of each packet that they may see, and change nothing for its owner",
  { runs: 100, file },
  fc.property(
    fc.array(frames, { maxLength: 20 }),
    fc.constantFrom(0, 128, 4096),
    (sent, copyBytesMax) => {
      const owner = { ...echo, copyBytesMax, quotaPages: 10 };
      const observers = [
        { ...owner, receives: ipv4().udp().grant, observes: true },
        { ...owner, receives: ethernet().grant, observes: true },
      ];
      using alone = new Rig([owner, discard]);
      using rig = new Rig([owner, discard, ...observers]);
      const got = [alone, rig].map((one) =>
        one.holders.map(() => [] as string[])
      );
      for (const frame of sent) {
        [alone, rig].forEach((one, which) => {
          one.far.send(frame, 0, frame.length);
          one.turn();
          one.holders.forEach((holder, i) => {
            for (let d = holder.port.take(); d; d = holder.port.take()) {
              for (const { bytes } of packetsOf(d)) {
                got[which]![i]!.push(bytes.join());
              }
              const view = new RecordView(d.records);
              for (let n = 0, at = 0; n < d.count; n++, at += view.stride(at)) {
                view.setLength(at, 0);
              }
              holder.port.post(d, [d.records, ...d.pages]);
            }
          });
          one.turn();
        });
      }
      assert.deepEqual(got[1]!.slice(0, 2), got[0]);
      observers.forEach(({ receives }, i) => {
        const seen = sent.filter((frame) =>
          matches(receives, frame, 0, frame.length)
        );
        assert.deepEqual(got[1]![i + 2], seen.map((frame) => frame.join()));
      });
      assert.equal(
        rig.service.counts().unclaimedPackets,
        alone.service.counts().unclaimedPackets,
      );
    },
  ),
);

/** What the records of a holder's deliveries say: each packet's bytes, and what is known of it. */
function recordsOf(rig: Rig, id: number): { bytes: number; offload: number }[] {
  return [...takeAll(rig.holders[id - 1]!.port)].flatMap((delivery) => {
    const view = new RecordView(delivery.records);
    const found = [];
    for (let n = 0, at = 0; n < delivery.count; n++, at += view.stride(at)) {
      found.push({ bytes: view.length(at), offload: view.offload(at) });
    }
    return found;
  });
}

const owner = { ...echo, copyBytesMax: INLINE_BYTES_MAX, quotaPages: 64 };
const observer = { ...owner, receives: ethernet().grant, observes: true };

Deno.test("an observer is told of checksums and segments what the owner is", () => {
  const request = witness(echo.receives[0]!);
  for (const partialChecksums of [false, true]) {
    using rig = new Rig([owner, observer], 64, 1, { partialChecksums });
    rig.far.send(request, 0, request.length);
    rig.turn();
    const expected = partialChecksums ? CHECKSUM_MAY_BE_PARTIAL : 0;
    for (const id of [1, 2]) {
      assert.deepEqual(recordsOf(rig, id).map(({ offload }) => offload), [
        expected,
      ]);
    }
  }
  const likeness = { extents: 8, superPackets: true };
  using rig = new Rig([owner, observer], 64, 1, likeness);
  const many = new Uint8Array(3000);
  many.set(request);
  rig.far.send(many, 0, many.length);
  rig.turn();
  const [[own], [copied]] = [recordsOf(rig, 1), recordsOf(rig, 2)];
  assert.deepEqual(copied, own);
  assert.equal(copied!.bytes, many.length);
  assert.notEqual(copied!.offload, 0);
});

Deno.test("a packet that no byte string holds is the owner's alone, and counted on the observer", () => {
  const likeness = { extents: 8, superPackets: true };
  using rig = new Rig([owner, observer], 64, 1, likeness);
  const request = witness(echo.receives[0]!);
  for (const more of [1, 0]) {
    const frame = new Uint8Array(INLINE_BYTES_MAX + more);
    frame.set(request);
    rig.far.send(frame, 0, frame.length);
    rig.turn();
  }
  const drops = rig.service.counts().accounts.map(({ drops }) => drops);
  assert.deepEqual(drops, [{}, { "copy-too-large": 1 }]);
  const lengths = (id: number) => recordsOf(rig, id).map(({ bytes }) => bytes);
  assert.deepEqual(lengths(1), [INLINE_BYTES_MAX + 1, INLINE_BYTES_MAX]);
  assert.deepEqual(lengths(2), [INLINE_BYTES_MAX]);
});

Deno.test("what only observes sends nothing, and that is counted on it", () => {
  const observer = { ...echo, observes: true, copyBytesMax: 4096 };
  using rig = new Rig([echo, observer]);
  const frame = witness(echo.receives[0]!);
  rig.far.send(frame, 0, frame.length);
  rig.turn();
  const { port } = rig.holders[1]!;
  const delivery = port.take()!;
  port.post(delivery, [delivery.records]);
  rig.turn();
  assert.deepEqual(rig.sent(), []);
  const { drops, sentPackets } = rig.account(2)!;
  assert.deepEqual([drops, sentPackets], [{ "send-no-right": 1 }, 0]);
});
