import { deepEqual } from "node:assert/strict";
import type { CalibratedFile } from "./calibration.ts";
import { RunOrder } from "./run_order.ts";

function fileOf(test: string, wallMs: number, lines: number[]): CalibratedFile {
  return {
    test,
    wallMs,
    cpuS: 1,
    lines: new Map([["a.ts", new Set(lines)]]),
    hasProperties: false,
  };
}

const slow = fileOf("slow", 900, [1, 2, 3, 7]);
const quick = fileOf("quick", 100, [1, 2, 3]);
const middle = fileOf("middle", 300, [1]);

function namesOf(order: RunOrder, line: number, lineEnd = line): string[] {
  return order.of({ file: "a.ts", line, lineEnd }).map(({ test }) => test);
}

Deno.test("files that run a line of the mutant are run, quickest first", () => {
  const order = new RunOrder([slow, quick, middle]);
  deepEqual(namesOf(order, 1), ["quick", "middle", "slow"]);
  deepEqual(namesOf(order, 3), ["quick", "slow"]);
  deepEqual(namesOf(order, 5), []);
  deepEqual(namesOf(order, 5, 7), ["slow"]);
  deepEqual(order.of({ file: "b.ts", line: 1, lineEnd: 1 }), []);
});

Deno.test("files that run a line beside the mutant are run, too: coverage leaves lines out", () => {
  const order = new RunOrder([slow, quick, middle]);
  deepEqual(namesOf(order, 4), ["quick", "slow"]);
  deepEqual(namesOf(order, 6), ["slow"]);
  deepEqual(namesOf(order, 8), ["slow"]);
  deepEqual(namesOf(order, 9), []);
});

Deno.test("a file that notices more of a source comes before a quicker one that does not", () => {
  const order = new RunOrder([slow, quick, middle]);
  for (let i = 0; i < 4; i++) {
    order.note(quick, "a.ts", false);
    order.note(middle, "a.ts", true);
    order.note(slow, "b.ts", true);
  }
  deepEqual(namesOf(order, 1), ["middle", "quick", "slow"]);
});

Deno.test("a source's own test comes before those beside it, and these before all others", () => {
  const names = [
    "tests/x/a_test.ts",
    "tests/caps/b_test.ts",
    "tests/caps/a_test.ts",
  ];
  const order = new RunOrder(
    names.map((name) => ({
      ...fileOf(name, 100, []),
      lines: new Map([["caps/a.ts", new Set([1])]]),
    })),
  );
  const found = order.of({ file: "caps/a.ts", line: 1, lineEnd: 1 });
  deepEqual(found.map(({ test }) => test), names.toReversed());
});
