import { equal } from "node:assert/strict";
import { isRateLimit, RATE_MAX } from "../../../caps/kernel/rate_limit.ts";

Deno.test("a rate is more than 0 and at most the highest, and one at least is given", () => {
  for (const field of ["packetsPerSecond", "bytesPerSecond"]) {
    const other = field === "bytesPerSecond"
      ? "packetsPerSecond"
      : "bytesPerSecond";
    for (const rate of [RATE_MAX, 1, Number.MIN_VALUE]) {
      equal(isRateLimit({ [field]: rate }), true, `${rate}`);
      equal(isRateLimit({ [field]: rate, [other]: 0 }), false);
    }
    for (const rate of [RATE_MAX + 1, 0, -1, NaN, Infinity, "1", null]) {
      equal(isRateLimit({ [field]: rate }), false, `${rate}`);
    }
  }
  for (const limit of [{}, null, undefined, 7, [1]]) {
    equal(isRateLimit(limit), false);
  }
});
