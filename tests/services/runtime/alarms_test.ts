/** Many alarms on one clock: each rings once, on time, in order; and none after the end. */

import { deepEqual, equal } from "node:assert/strict";
import { delay } from "@std/async/delay";
import fc from "fast-check";
import { Alarms } from "../../../services/runtime/alarms.ts";
import { makeRealClock } from "../../../services/runtime/clock.ts";
import { testProperty } from "../../property.ts";
import { VirtualClock } from "./virtual_clock.ts";

testProperty(
  "each alarm that is not cancelled rings once, when its time has come, the earliest first",
  { runs: 200, file: import.meta.url },
  fc.property(
    fc.array(fc.record({ atMs: fc.nat(50), cancelled: fc.boolean() }), {
      maxLength: 30,
    }),
    fc.array(fc.nat(10), { maxLength: 10 }),
    (wanted, steps) => {
      const clock = new VirtualClock();
      using alarms = new Alarms(clock);
      const rung: number[] = [];
      for (const { atMs, cancelled } of wanted) {
        const alarm = alarms.set(atMs * 1000, () => {
          equal(clock.now(), atMs * 1000);
          rung.push(atMs);
        });
        if (cancelled) alarms.cancel(alarm);
      }
      let now = 0;
      for (const step of steps) {
        now += step;
        clock.advance(step);
        const due = wanted.filter(({ atMs, cancelled }) =>
          !cancelled && atMs <= now
        );
        deepEqual(rung, due.map(({ atMs }) => atMs).sort((a, b) => a - b));
      }
    },
  ),
);

Deno.test("a timer that goes off too soon rings nothing", () => {
  let callback = () => {};
  let nowUs = 0;
  const clock = {
    now: () => nowUs,
    wake: (_at: number, call: () => void) => void (callback = call),
  };
  using alarms = new Alarms(clock);
  let rung = 0;
  alarms.set(1000, () => rung++);
  nowUs = 999;
  callback();
  equal(rung, 0);
  nowUs = 1000;
  callback();
  equal(rung, 1);
});

Deno.test("no timer outlives its alarms, nor is one set after their end", async () => {
  const alarms = new Alarms(makeRealClock());
  let rung = 0;
  alarms.after(20, () => rung++);
  alarms[Symbol.dispose]();
  alarms.after(20, () => rung++);
  await delay(60);
  equal(rung, 0);
});
