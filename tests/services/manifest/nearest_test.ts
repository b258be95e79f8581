import { strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { editDistance, nearest } from "../../../services/manifest/nearest.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;
const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 7 });

testProperty(
  "editDistance() is what the recursive definition gives",
  { runs: 200, file },
  fc.property(word, word, (a, b) => {
    strictEqual(editDistance(a, b), recursiveDistance(a, b));
  }),
);

function recursiveDistance(a: string, b: string): number {
  if (a === "" || b === "") return a.length + b.length;
  return Math.min(
    recursiveDistance(a.slice(1), b.slice(1)) + (a[0] === b[0] ? 0 : 1),
    recursiveDistance(a.slice(1), b) + 1,
    recursiveDistance(a, b.slice(1)) + 1,
  );
}

testProperty(
  "nearest() finds a name with one wrong letter, and nothing for a name far from all",
  { runs: 100, file },
  fc.property(fc.nat(6), fc.constantFrom("x", ""), (at, letter) => {
    const names = ["address", "in-process", "unclaimed"];
    const typo = "address".slice(0, at) + letter + "address".slice(at + 1);
    strictEqual(nearest(typo, names), "address");
    strictEqual(nearest("zzzzzzzz", names), undefined);
    strictEqual(nearest("z".repeat(10000), names), undefined);
  }),
);
