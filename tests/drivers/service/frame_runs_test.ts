import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { EXTENT_PAGES } from "../../../caps/memory/memory.ts";
import { FrameRuns } from "../../../drivers/service/frame_runs.ts";
import { testProperty } from "../../property.ts";

/** Frames mostly one behind the other, for one of two slots. */
const frames = fc.array(
  fc.record({
    gap: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, {
      weight: 1,
      arbitrary: fc.constantFrom(-2, -1, 1, 5),
    }),
    pages: fc.oneof({ weight: 6, arbitrary: fc.constant(1) }, {
      weight: 1,
      arbitrary: fc.constant(EXTENT_PAGES),
    }),
    slot: fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, {
      weight: 1,
      arbitrary: fc.constant(2),
    }),
  }),
  { maxLength: 40 },
);

testProperty(
  "a run is of frames side by side and of one slot, no longer than it may be, and goes on where it can",
  { runs: 300, file: import.meta.url },
  fc.property(frames, fc.constantFrom(1, 2, 4), (added, runPagesMax) => {
    const runs = new FrameRuns();
    for (let times = 0; times < 2; times++) {
      const expected: { frame: number; pages: number; slot: number }[] = [];
      let next = 100;
      for (const { gap, pages, slot } of added) {
        const frame = next + gap;
        next = frame + pages;
        const last = expected.at(-1);
        const goesOn = last !== undefined && pages === 1 &&
          last.slot === slot && last.pages < runPagesMax &&
          last.frame + last.pages === frame;
        if (goesOn) last.pages++;
        else expected.push({ frame, pages, slot });
        const run = runs.add(frame, pages, slot, runPagesMax);
        equal(run, expected.length - 1);
      }
      deepEqual(
        Array.from({ length: runs.count }, (_, i) => ({
          frame: runs.frame(i),
          pages: runs.pages(i),
          slot: runs.slot(i),
        })),
        expected,
      );
      // And again with the same list: nothing of the first time is left.
      runs.clear();
      equal(runs.count, 0);
    }
  }),
);
