/** When something that failed is started again. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { Restarts, WINDOW_MS } from "../../services/system/restarts.ts";
import { testProperty } from "../property.ts";

type Lives = { readonly startMs: number; readonly runMs: number }[];

/** Lives, one after the other: how long each takes to run, and how long it runs then. */
const lives = fc.array(
  fc.record({
    startMs: fc.nat(2000),
    runMs: fc.oneof(fc.constant(0), fc.nat(5000), fc.nat(200_000)),
  }),
  { maxLength: 60 },
);

testProperty(
  "Restarts never allows more than its number within a minute, and waits from 0.1 s to 10 s, twice as long each time until a life lasted a minute",
  { runs: 300, file: "tests/system/restarts_test.ts" },
  fc.property(
    lives,
    fc.oneof(fc.nat(10), fc.constant(Infinity)),
    checkRestarts,
  ),
);

function checkRestarts(lives: Lives, max: number): void {
  const restarts = new Restarts(max);
  const failures: number[] = [];
  let nowMs = 0;
  let expectedMs = 100;
  let count = 0;
  for (const { startMs, runMs } of lives) {
    nowMs += startMs;
    restarts.ran(nowMs);
    nowMs += runMs;
    if (runMs >= WINDOW_MS) expectedMs = 100;
    const recent = failures.filter((at) => nowMs - at < WINDOW_MS);
    const delayMs = restarts.failed(nowMs);
    if (recent.length >= max) {
      assert.equal(delayMs, undefined);
      break;
    }
    assert.equal(delayMs, expectedMs);
    expectedMs = Math.min(expectedMs * 2, 10_000);
    failures.push(nowMs);
    assert.equal(restarts.count, ++count);
    nowMs += delayMs;
  }
}

Deno.test("something that fails before it runs is not thought to have run for a minute", () => {
  const restarts = new Restarts(Infinity);
  restarts.ran(0);
  assert.equal(restarts.failed(1), 100);
  assert.equal(restarts.failed(200_000), 200);
});
