import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { addCounts, Tally } from "../../../caps/driver/accounts.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;

/** Names that an object has of its prototype, too. */
const names = fc.oneof(
  fc.constantFrom("a", "b", "__proto__", "constructor", "toString"),
  fc.string(),
);

const counts = fc.array(fc.tuple(names, fc.nat({ max: 1000 })), {
  maxLength: 8,
}).map((entries) => Object.fromEntries(entries));

testProperty(
  "addCounts() is the sum of each name's counts, whatever the names are",
  { runs: 500, file },
  fc.property(fc.array(counts, { maxLength: 4 }), (all) => {
    const expected = new Map<string, number>();
    for (const one of all) {
      for (const [name, count] of Object.entries(one)) {
        expected.set(name, (expected.get(name) ?? 0) + count);
      }
    }
    const sum = addCounts(all);
    deepStrictEqual(new Map(Object.entries(sum)), expected);
  }),
);

Deno.test("a tally has what was counted and what another had, and 0 of all else", () => {
  const one = new Tally();
  one.add("late");
  one.add("late", 4);
  const other = new Tally();
  other.add("late", 10);
  other.add("lost", 2);
  one.addAll(other);
  deepStrictEqual(one.snapshot(), { late: 15, lost: 2 });
  deepStrictEqual(["late", "lost", "toString"].map((name) => one.of(name)), [
    15,
    2,
    0,
  ]);
  deepStrictEqual(other.snapshot(), { late: 10, lost: 2 });
});
