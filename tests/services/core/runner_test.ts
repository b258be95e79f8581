import { equal } from "node:assert/strict";
import { makePipe } from "../../../caps/port/port.ts";
import type { Delivery, Submission } from "../../../caps/port/records.ts";
import type { Core } from "../../../services/core/core.ts";
import { CoreRunner } from "../../../services/core/runner.ts";

Deno.test("a core is woken on time by a timer that goes off too soon", () => {
  const [port] = makePipe<Submission, Delivery>();
  let now = 0;
  let alarm: (() => void) | undefined;
  let woken = 0;
  const core: Core = {
    wakeAt: 1000,
    wake: () => void woken++,
    receive: () => "handled",
    counters: () => ({}),
  };
  using _runner = new CoreRunner(core, {
    port,
    clock: {
      now: () => now,
      wake: (at, callback) => alarm = at === Infinity ? undefined : callback,
    },
    capability: 0n,
    onFailure: (error) => {
      throw error;
    },
  });
  for (const instant of [998, 999, 1000]) {
    const callback = alarm!;
    alarm = undefined;
    now = instant;
    callback();
  }
  equal(woken, 1);
});
