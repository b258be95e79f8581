import assert from "node:assert/strict";
import fc from "fast-check";
import {
  makeTrustedRings,
  RING_ENTRIES,
  RingReader,
  RingWriter,
} from "../../../caps/port/trusted_ring.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("put" as const),
      count: fc.nat({ max: RING_ENTRIES }),
    }),
    fc.record({
      kind: fc.constant("publish" as const),
      count: fc.constant(0),
    }),
    fc.record({
      kind: fc.constant("take" as const),
      count: fc.nat({ max: RING_ENTRIES }),
    }),
    fc.record({ kind: fc.constant("sleep" as const), count: fc.constant(0) }),
  ),
  { maxLength: 30 },
);

testProperty(
  "what is published is read in order, once, also where the index begins anew, and a reader that sleeps is woken once",
  { runs: 200, file },
  fc.property(
    steps,
    fc.constantFrom("deliveries" as const, "returns" as const),
    fc.boolean(),
    (steps, direction, wraps) => {
      const rings = makeTrustedRings();
      if (wraps) new Uint32Array(rings).fill(0xffffffff - 3);
      if (wraps) new RingReader(rings, direction).sleep();
      const writer = new RingWriter(rings, direction);
      const reader = new RingReader(rings, direction);
      writer.publish();
      let [put, published, taken] = [0, 0, 0];
      let asleep = false;
      for (const { kind, count } of steps) {
        if (kind === "put") {
          const room = RING_ENTRIES - (put - taken);
          for (let i = 0; i < Math.min(count, room); i++) {
            writer.put(put, put + 1, put + 2, put + 3);
            put++;
          }
        } else if (kind === "publish") {
          assert.equal(writer.publish(), asleep);
          asleep = false;
          published = put;
        } else if (kind === "sleep") {
          asleep = reader.sleep();
          assert.equal(asleep, published === taken);
        } else {
          assert.equal(reader.available, published - taken);
          for (let i = 0; i < Math.min(count, published - taken); i++) {
            const { at, words } = reader;
            assert.deepEqual(
              [...words.subarray(at, at + 4)],
              [taken, taken + 1, taken + 2, taken + 3],
            );
            reader.advance(1);
            taken++;
          }
        }
      }
    },
  ),
);

Deno.test("the two rings of a holder do not touch each other", () => {
  const rings = makeTrustedRings();
  const deliveries = new RingWriter(rings, "deliveries");
  for (let i = 0; i < RING_ENTRIES; i++) deliveries.put(7, 7, 7, 7);
  deliveries.publish();
  assert.equal(new RingReader(rings, "returns").available, 0);
  const words = new Uint32Array(rings);
  assert.ok(words.subarray(words.length / 2).every((word) => word === 0));
});
