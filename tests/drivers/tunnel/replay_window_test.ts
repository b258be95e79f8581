import { strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  ReplayWindow,
  WINDOW_FRAMES,
} from "../../../drivers/tunnel/replay_window.ts";
import { testProperty } from "../../property.ts";

/** Steps from one number to the next: near, about a window away, and far. */
const step = fc.oneof(
  fc.integer({ min: -40, max: 40 }),
  fc.integer({ min: -WINDOW_FRAMES - 70, max: WINDOW_FRAMES + 70 }),
  fc.integer({ min: -10_000, max: 10_000 }),
);

testProperty(
  "a window takes each number once, and refuses only what was seen or is a window old",
  { runs: 300, file: import.meta.url },
  fc.property(
    fc.constantFrom(0, 5000, 0xffff0000),
    fc.array(step, { maxLength: 200 }),
    (first, steps) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let highest = -1;
      let sequence: number = first;
      for (const by of [0, ...steps]) {
        strictEqual(window.highest, highest);
        sequence = Math.min(Math.max(sequence + by, 0), 0xffffffff);
        const wanted = !seen.has(sequence) &&
          sequence > highest - WINDOW_FRAMES;
        strictEqual(window.isNew(sequence), wanted, `is ${sequence} new?`);
        strictEqual(window.accept(sequence), wanted, `takes ${sequence}`);
        if (!wanted) continue;
        seen.add(sequence);
        highest = Math.max(highest, sequence);
      }
    },
  ),
);

Deno.test("a window reaches back over at least 1,024 frames, and takes them in any order", () => {
  const window = new ReplayWindow();
  strictEqual(window.accept(5000), true);
  for (let back = 1; back <= 1024; back++) {
    strictEqual(window.accept(5000 - back), true);
    strictEqual(window.accept(5000 - back), false);
  }
});

Deno.test("after a jump of any length, late frames of the window are new, each once", () => {
  for (let jump = WINDOW_FRAMES - 40; jump < WINDOW_FRAMES + 200; jump++) {
    const window = new ReplayWindow();
    // Every bit of it is set before the jump.
    for (let sequence = 0; sequence < 3000; sequence++) window.accept(sequence);
    const top = 2999 + jump;
    strictEqual(window.accept(top), true);
    for (let back = 1; back <= WINDOW_FRAMES; back++) {
      const isNew = top - back >= 3000 && back < WINDOW_FRAMES;
      strictEqual(window.accept(top - back), isNew, `${back} before ${top}`);
    }
  }
});
