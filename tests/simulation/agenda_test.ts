/** The agenda of a simulated world beside a list that is sorted. */

import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { testProperty } from "../property.ts";
import { Agenda } from "./agenda.ts";

const file = import.meta.url;

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ add: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ cancel: fc.nat() }) },
  { weight: 2, arbitrary: fc.constant("take" as const) },
);

testProperty(
  "events happen by time, those of one time in their order, and none that was cancelled",
  { runs: 300, file },
  fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const agenda = new Agenda();
    let expected: { at: number; id: number }[] = [];
    const cancels: (() => void)[] = [];
    const happened: number[] = [];
    const wanted: number[] = [];
    const take = () => {
      const first = expected.toSorted((a, b) => a.at - b.at || a.id - b.id)[0]!;
      equal(agenda.nextAt, first.at);
      agenda.take()();
      wanted.push(first.id);
      expected = expected.filter((one) => one !== first);
    };
    for (const one of steps) {
      if (one === "take") {
        if (expected.length > 0) take();
      } else if ("add" in one) {
        const id = cancels.length;
        cancels.push(agenda.add(one.add, () => happened.push(id)));
        expected.push({ at: one.add, id });
      } else if (cancels.length > 0) {
        // One that has happened, or was cancelled, among them: nothing comes of it.
        const id = one.cancel % cancels.length;
        cancels[id]!();
        expected = expected.filter((other) => other.id !== id);
      }
      equal(agenda.size, expected.length);
    }
    while (expected.length > 0) take();
    deepEqual(happened, wanted);
    equal(agenda.nextAt, Infinity);
  }),
);

Deno.test("what an event plans for the time that it is happens at that time, behind what was planned before", () => {
  const agenda = new Agenda();
  const happened: string[] = [];
  agenda.add(5, () => {
    happened.push("first");
    agenda.add(5, () => happened.push("third"));
  });
  agenda.add(5, () => happened.push("second"));
  while (agenda.size > 0) agenda.take()();
  deepEqual(happened, ["first", "second", "third"]);
});

Deno.test("thirty thousand timers that are set again and again leave nothing behind, and go off in order", () => {
  const agenda = new Agenda();
  const timers = 30_000;
  const happened: number[] = [];
  let cancels: (() => void)[] = [];
  for (let round = 0; round < 5; round++) {
    for (const cancel of cancels) cancel();
    cancels = Array.from({ length: timers }, (_, i) => {
      const at = (i * 7919 + round) % timers;
      return agenda.add(at, () => happened.push(at));
    });
    equal(agenda.size, timers);
  }
  while (agenda.size > 0) agenda.take()();
  deepEqual(happened, Array.from({ length: timers }, (_, i) => i));
});
