import { equal } from "node:assert/strict";
import { Tally } from "./tally.ts";

Deno.test("what a test noticed, or had no end in time, counts as noticed", () => {
  const tally = new Tally();
  equal(tally.score, 1);
  for (const verdict of ["failed", "failed", "looped", "late"] as const) {
    tally.add(verdict);
  }
  equal(tally.score, 1);
  for (const verdict of ["survived", "survived", "not covered"] as const) {
    tally.add(verdict);
  }
  equal(tally.score, 4 / 7);
  equal(
    String(tally),
    "4 of 7 noticed, 57.1 % (1 looped, 1 late); 2 survived, 1 not covered",
  );
});
