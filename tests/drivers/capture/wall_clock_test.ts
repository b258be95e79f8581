import { strictEqual } from "node:assert/strict";
import { WallClock } from "../../../drivers/capture/wall_clock.ts";

Deno.test("the time of day follows the clock when it is set, and is finer than its milliseconds", () => {
  let monotonic = 1000.25;
  let adjusted = 5_000_000;
  const clock = new WallClock({
    monotonic: () => monotonic,
    adjusted: () => adjusted,
  });
  strictEqual(clock.nowUs(), 5_000_000_000);
  monotonic += 0.5;
  strictEqual(clock.nowUs(), 5_000_000_500, "between two milliseconds");
  monotonic += 10;
  adjusted += 10;
  strictEqual(clock.nowUs(), 5_000_010_500);
  adjusted -= 3_600_000;
  strictEqual(clock.nowUs(), 1_400_010_000, "set back by an hour");
  adjusted += 7_200_000;
  strictEqual(clock.nowUs(), 8_600_010_000, "and forward by two");
});
