/** Reports of services, which are as little believed as their packets. */

import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import {
  COUNTS_MAX,
  NAME_LENGTH_MAX,
} from "../../../../services/core/plain.ts";
import { readServiceReport } from "../../../../services/system/supervision/service_report.ts";
import { testProperty } from "../../../property.ts";

/** The longest reason that is shown. */
const REASON_LENGTH_MAX = 200;

/** A report of `counters`. */
function counted(counters: unknown): unknown {
  return { kind: "counters", id: 1, counters, memoryBytes: 5 };
}

/** Counts with so many names. */
function countsOf(names: number): Record<string, number> {
  return Object.fromEntries(
    Array.from({ length: names }, (_, i) => [`name-${i}`, i]),
  );
}

Deno.test(`a service reports at most ${COUNTS_MAX} counts, each a whole number from 0 on with a name of at most ${NAME_LENGTH_MAX} characters`, () => {
  const sound = [
    {},
    countsOf(COUNTS_MAX),
    { ["n".repeat(NAME_LENGTH_MAX)]: 0 },
    { answered: Number.MAX_SAFE_INTEGER },
  ];
  for (const counters of sound) {
    const report = readServiceReport(counted(counters));
    deepEqual(report, counted(counters));
  }
  const unsound = [
    null,
    7,
    countsOf(COUNTS_MAX + 1),
    { ["n".repeat(NAME_LENGTH_MAX + 1)]: 0 },
    { answered: -1 },
    { answered: 0.5 },
    { answered: Number.MAX_SAFE_INTEGER + 1 },
    { answered: "1" },
  ];
  for (const counters of unsound) {
    equal(readServiceReport(counted(counters)), undefined);
  }
});

Deno.test(`a reason is one line of at most ${REASON_LENGTH_MAX} characters, and always a text`, () => {
  const reasonOf = (message: unknown) => {
    const report = readServiceReport({ kind: "failed", message });
    ok(report?.kind === "failed");
    return report.message;
  };
  equal(reasonOf("x".repeat(REASON_LENGTH_MAX)), "x".repeat(REASON_LENGTH_MAX));
  equal(
    reasonOf("x".repeat(REASON_LENGTH_MAX + 1)),
    "x".repeat(REASON_LENGTH_MAX),
  );
  equal(reasonOf("one\n\u001b[2Jtwo"), "one [2Jtwo");
  equal(reasonOf({ toString: () => "no" }), "it did not say why");
});

testProperty(
  "whatever a service posts, it is a report with sound fields, or none",
  { runs: 500, file: import.meta.url },
  fc.property(
    fc.oneof(
      fc.anything(),
      fc.record({
        kind: fc.constantFrom("running", "failed", "counters", "other"),
        id: fc.anything(),
        counters: fc.anything(),
        memoryBytes: fc.anything(),
        message: fc.anything(),
      }, { requiredKeys: [] }),
    ),
    (message) => {
      const report = readServiceReport(message);
      if (report === undefined) return;
      ok(["running", "failed", "counters"].includes(report.kind));
      if (report.kind === "failed") {
        ok(report.message.length <= REASON_LENGTH_MAX);
      } else if (report.kind === "counters") {
        equal(typeof report.id, "number");
        equal(typeof report.memoryBytes, "number");
        ok(Object.keys(report.counters).length <= COUNTS_MAX);
      }
    },
  ),
);
