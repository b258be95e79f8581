import { equal } from "node:assert/strict";
import fc from "fast-check";
import {
  type HeldFrame,
  HeldFrames,
} from "../../../services/interpose/held_frames.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;

/** What a frame costs besides its bytes, and what all of them may cost. */
const [OVERHEAD_BYTES, HELD_BYTES_MAX] = [128, 8 * 1024 * 1024];

const RECORD = new Uint8Array(HELD_BYTES_MAX);
const PAGE = new ArrayBuffer(4096);

function frame(due: number, sizeBytes: number, inPage: boolean): HeldFrame {
  const record = RECORD.subarray(0, sizeBytes);
  return { due, capability: 1n, record, page: inPage ? PAGE : undefined };
}

function costOf({ record, page }: HeldFrame): number {
  return OVERHEAD_BYTES + record.length + (page?.byteLength ?? 0);
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(
        fc.nat(9),
        fc.oneof(fc.nat(5000), fc.nat(3_000_000)),
        fc.boolean(),
      ),
    },
    { weight: 3, arbitrary: fc.constant("shift" as const) },
    { weight: 1, arbitrary: fc.constant("hurry" as const) },
  ),
  { maxLength: 100 },
);

testProperty(
  "frames wait in the order of their times, those of one time in the order they came in, and as many bytes as may",
  { runs: 300, file },
  fc.property(steps, (steps) => {
    const held = new HeldFrames();
    let model: HeldFrame[] = [];
    for (const step of steps) {
      if (step === "shift") {
        held.shift();
        model.shift();
      } else if (step === "hurry") {
        held.hurry();
        model = model.map((frame) => ({ ...frame, due: 0 }));
      } else {
        const next = frame(...step);
        const costs = [...model, next].map(costOf).reduce((a, b) => a + b);
        const fits = costs <= HELD_BYTES_MAX;
        equal(held.add(next), fits);
        if (fits) model.push(next);
        model.sort((a, b) => a.due - b.due);
      }
      equal(held.empty, model.length === 0);
      equal(held.due, model[0]?.due ?? Infinity);
      equal(held.first?.record, model[0]?.record);
    }
  }),
);

Deno.test("frames that cost just what may be held are held, and not one byte more", () => {
  const held = new HeldFrames();
  const most = HELD_BYTES_MAX - OVERHEAD_BYTES;
  equal(held.add(frame(0, most + 1, false)), false);
  equal(held.add(frame(0, most - PAGE.byteLength + 1, true)), false);
  equal(held.add(frame(0, most - PAGE.byteLength, true)), true);
  equal(held.add(frame(0, 0, false)), false);
  held.shift();
  equal(held.add(frame(0, most, false)), true);
});
