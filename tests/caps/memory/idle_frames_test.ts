import assert from "node:assert/strict";
import fc from "fast-check";
import { IdleFrames, NO_FRAME } from "../../../caps/memory/idle_frames.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;

testProperty(
  "idle frames are given out once each, the next one behind the last that was given first",
  { runs: 300, file },
  fc.property(
    fc.integer({ min: 1, max: 100 }),
    // Mostly few are left, so that the search goes all the way round.
    fc.nat(100),
    fc.array(fc.oneof(fc.constant("take" as const), fc.nat({ max: 99 })), {
      maxLength: 300,
    }),
    (frameCount, taken, steps) => {
      const idle = new IdleFrames(frameCount);
      const model = new Set(Array.from({ length: frameCount }, (_, i) => i));
      const out: number[] = [];
      let word = 0;
      const first = Array.from({ length: taken }, () => "take" as const);
      for (const step of [...first, ...steps]) {
        if (step === "take") {
          const frame = idle.take();
          // By words of 32, round and round; within a word from the lowest.
          const next = [...model].sort((a, b) => rank(a) - rank(b))[0];
          assert.equal(frame, next ?? NO_FRAME);
          if (next === undefined) continue;
          word = next >>> 5;
          model.delete(next);
          out.push(next);
        } else if (out.length > 0) {
          const [frame] = out.splice(step % out.length, 1);
          idle.put(frame!);
          model.add(frame!);
        }
        assert.equal(idle.count, model.size);
      }
      assert.deepEqual([...idle.frames()], [...model].sort((a, b) => a - b));

      function rank(frame: number): number {
        const words = Math.ceil(frameCount / 32);
        return ((frame >>> 5) - word + words) % words * 32 + (frame & 31);
      }
    },
  ),
);

Deno.test("a frame that is idle cannot be put back again", () => {
  const idle = new IdleFrames(40);
  assert.throws(() => idle.put(33), /idle twice/);
  assert.equal(idle.take(), 0);
  idle.put(0);
  assert.throws(() => idle.put(0), /idle twice/);
});
