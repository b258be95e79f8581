/** Reports of services, which are as little believed as their packets. */

import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import {
  COUNTS_MAX,
  NAME_LENGTH_MAX,
} from "../../../../services/core/plain.ts";
import { PORTS_MAX } from "../../../../services/core/ports.ts";
import { INTERFACE_TEXT_MAX } from "../../../../services/ports/interface.ts";
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
    deepEqual(report, { ...counted(counters) as object, ports: [] });
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

/** Texts of interfaces with so many names. */
function textsOf(names: number, text = "x"): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: names }, (_, i) => [`port-${i}`, text]),
  );
}

Deno.test("what a service says of its ports is sound, or nothing is believed of it", () => {
  const running = (ports: unknown) => ({ kind: "running", ports });
  const sound = [
    { asks: {}, answers: {} },
    { asks: textsOf(PORTS_MAX), answers: textsOf(PORTS_MAX) },
    { asks: textsOf(1, "x".repeat(INTERFACE_TEXT_MAX)), answers: {} },
  ];
  for (const ports of sound) {
    deepEqual(readServiceReport(running(ports)), running(ports));
  }
  const unsound = [
    null,
    {},
    { asks: {} },
    { asks: textsOf(PORTS_MAX + 1), answers: {} },
    { asks: {}, answers: textsOf(PORTS_MAX + 1) },
    { asks: textsOf(1, "x".repeat(INTERFACE_TEXT_MAX + 1)), answers: {} },
    { asks: { "Two words": "x" }, answers: {} },
    { asks: { port: 7 }, answers: {} },
  ];
  for (const ports of unsound) {
    equal(readServiceReport(running(ports)), undefined);
  }
  const one = { side: "ask", name: "resolver", counters: { asked: 1 } };
  const counts = (ports: unknown) =>
    readServiceReport({ ...counted({}) as object, ports });
  const most = Array(2 * PORTS_MAX).fill(one);
  deepEqual(counts(most), { ...counted({}) as object, ports: most });
  for (
    const ports of [
      7,
      [...most, one],
      [null],
      [{ ...one, side: "both" }],
      [{ ...one, name: "Two words" }],
      [{ ...one, name: 7 }],
      [{ ...one, counters: { asked: -1 } }],
    ]
  ) equal(counts(ports), undefined);
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
        ports: fc.oneof(
          fc.anything(),
          fc.record({ asks: fc.anything(), answers: fc.anything() }),
          fc.array(
            fc.record({
              side: fc.constantFrom("ask", "answer", "other"),
              name: fc.oneof(fc.constant("resolver"), fc.anything()),
              counters: fc.oneof(fc.constant({}), fc.anything()),
            }),
          ),
        ),
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
