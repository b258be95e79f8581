import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { makeWire, type WireEnd } from "../../../drivers/emulated/wire.ts";
import { testProperty } from "../../property.ts";

function take(end: WireEnd): Uint8Array | undefined {
  if (end.peek() === 0) return undefined;
  const into = new Uint8Array(end.peek() + 6);
  const length = end.receive(into, 3);
  strictEqual(into.subarray(0, 3).every((byte) => byte === 0), true);
  strictEqual(into.subarray(3 + length).every((byte) => byte === 0), true);
  return into.subarray(3, 3 + length);
}

testProperty(
  "a wire is two bounded queues: what was sent arrives in order, or send() said no",
  { runs: 100, file: import.meta.url },
  fc.property(
    fc.array(
      fc.record({
        side: fc.nat({ max: 1 }),
        frame: fc.option(fc.uint8Array({ minLength: 0, maxLength: 210 }), {
          nil: undefined,
        }),
      }),
      { maxLength: 100 },
    ),
    (steps) => {
      const ends = makeWire({ frameBytesMax: 200, queueFrames: 4 });
      const model: Uint8Array[][] = [[], []];
      let refused = 0;
      for (const { side, frame } of steps) {
        if (frame === undefined) {
          deepStrictEqual(take(ends[side]!), model[side]!.shift());
          continue;
        }
        const there = model[1 - side]!;
        const fits = frame.length > 0 && frame.length <= 200 &&
          there.length < 4;
        strictEqual(ends[side]!.send(frame, 0, frame.length), fits);
        if (fits) there.push(frame);
        else refused++;
      }
      for (const side of [0, 1]) {
        for (const frame of model[side]!) {
          deepStrictEqual(take(ends[side]!), frame);
        }
        strictEqual(ends[side]!.peek(), 0);
      }
      const counted = ends.flatMap((end) => Object.values(end.counters()));
      strictEqual(counted.reduce((sum, count) => sum + count, 0), refused);
    },
  ),
);

Deno.test("an end that goes down ends the other once that has been read", () => {
  const [near, far] = makeWire();
  let told = 0;
  near.onArrival(() => told++);
  far.send(Uint8Array.of(1, 2, 3), 1, 2);
  strictEqual(told, 1);
  far[Symbol.dispose]();
  far[Symbol.dispose]();
  strictEqual(told, 2);
  strictEqual(far.ended, true);
  strictEqual(near.ended, false);
  deepStrictEqual(take(near), Uint8Array.of(2, 3));
  strictEqual(near.ended, true);
  strictEqual(near.send(Uint8Array.of(1), 0, 1), false);
  strictEqual(near.counters()["tx-link-down"], 1);
});

Deno.test("makeWire() refuses limits that make no sense", () => {
  throws(() => makeWire({ frameBytesMax: 13 }), /frameBytesMax is 13/);
  throws(() => makeWire({ queueFrames: 3 }), /queueFrames is 3/);
  throws(() => makeWire({ queueFrames: 2 ** 30 }), /at most 268435456 bytes/);
});
