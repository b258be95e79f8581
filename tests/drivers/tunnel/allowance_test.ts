import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { Allowance } from "../../../drivers/tunnel/allowance.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;

/** How many of `wanted` an allowance gives. */
function given(allowance: Allowance, wanted: number): number {
  return Array.from({ length: wanted }, () => allowance.take())
    .filter((taken) => taken).length;
}

testProperty(
  "an allowance gives its burst, and then as much as time has brought, never more than the burst at once",
  { runs: 300, file },
  fc.property(
    // Each millisecond brings a number that floating point holds exactly.
    fc.constantFrom(125, 500, 1000, 4000),
    fc.nat(20),
    fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 40 }),
    fc.nat(1e9),
    (perSecond, burst, steps, startMs) => {
      let nowMs = startMs;
      const allowance = new Allowance(perSecond, burst, () => nowMs);
      // In thousandths of one.
      let left = burst * 1000;
      for (const [passMs, wanted] of [[0, 1], ...steps] as const) {
        nowMs += passMs;
        left = Math.min(burst * 1000, left + passMs * perSecond);
        const expected = Math.min(wanted, Math.floor(left / 1000));
        equal(given(allowance, wanted), expected, `at ${nowMs}`);
        left -= expected * 1000;
      }
    },
  ),
);

Deno.test("who waits just long enough gets one, who asks all the time no more", () => {
  let nowMs = 0;
  const allowance = new Allowance(2, 3, () => nowMs);
  equal(given(allowance, 9), 3);
  const at = [];
  for (nowMs = 1; nowMs <= 1000; nowMs++) {
    if (allowance.take()) at.push(nowMs);
  }
  deepEqual(at, [500, 1000]);
});
