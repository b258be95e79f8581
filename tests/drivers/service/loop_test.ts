/** The driver service's loop, around a service that does as a script says. */

import { setImmediate } from "node:timers";
import { delay } from "@std/async/delay";
import { deepEqual, equal, ok } from "node:assert/strict";
import {
  runDriverService,
  type RunOptions,
} from "../../../drivers/service/loop.ts";
import type { DriverService } from "../../../drivers/service/service.ts";

/** What is seen of a service, and how it behaves. */
class ScriptedService {
  /** How much there is to do in each turn; nothing after the last. */
  work: number[] = [];
  ended = false;
  quiet = true;
  notices: string[] = [];
  receiving = true;
  turns = 0;
  readonly waits: number[] = [];
  /** Called in each wait. */
  onWait: () => void = () => {};
  wakes = 0;

  turn(): number {
    this.turns++;
    return this.work.shift() ?? 0;
  }

  takeNotices(): string[] {
    return this.notices.splice(0);
  }

  async wait(delayMs: number): Promise<void> {
    this.waits.push(delayMs);
    this.onWait();
    await delay(0);
  }

  /** Waits on the loop's own thread, where that can be done. */
  here: number[] | undefined;

  waitHere(delayMs: number): boolean {
    this.here?.push(delayMs);
    return this.here !== undefined;
  }

  wake(): void {
    this.wakes++;
  }

  stopReceiving(): void {
    this.receiving = false;
  }
}

/** Runs the loop until it is aborted. */
function run(
  service: ScriptedService,
  signal: AbortSignal,
  options: Partial<RunOptions> = {},
): Promise<void> {
  return runDriverService(service as unknown as DriverService, {
    signal,
    onEnded: () => {},
    sameThread: false,
    ...options,
  });
}

Deno.test("after work a loop waits on its own thread for a while, and without work before it only aside", async () => {
  const service = new ScriptedService();
  const stop = new AbortController();
  service.here = [];
  service.onWait = () => stop.abort();
  await run(service, stop.signal);
  deepEqual([service.here, service.waits], [[], [1000]]);

  const busy = new ScriptedService();
  const end = new AbortController();
  busy.here = [];
  busy.work = [1, 0, 1];
  busy.onWait = () => end.abort();
  await run(busy, end.signal);
  ok(busy.here.length > 0);
  ok(busy.here.every((delayMs) => delayMs === 1));
  deepEqual(busy.waits, [1000]);
});

Deno.test("a loop turns without waiting while there is work, and sleeps when there is none", async () => {
  const service = new ScriptedService();
  const stop = new AbortController();
  service.work = [3, 1, 2];
  service.onWait = () => stop.abort();
  await run(service, stop.signal);
  equal(service.turns, 4);
  deepEqual(service.waits, [1000]);
  equal(service.wakes, 1, "it is woken to see that it is stopped");
  equal(service.receiving, false);
});

Deno.test("its end is told once, when every holder has answered", async () => {
  const service = new ScriptedService();
  const stop = new AbortController();
  service.ended = true;
  service.quiet = false;
  const told: number[] = [];
  service.onWait = () => {
    const { length } = service.waits;
    if (length === 3) service.quiet = true;
    if (length === 6) stop.abort();
  };
  const onEnded = () => told.push(service.waits.length);
  await run(service, stop.signal, { onEnded });
  deepEqual(told, [3]);
  // Looked at often until then, and then no more.
  deepEqual(service.waits, [1, 1, 1, 1000, 1000, 1000]);
});

Deno.test("holders that do not answer delay a NIC's end by half a second at most", async () => {
  const service = new ScriptedService();
  const stop = new AbortController();
  service.ended = true;
  service.quiet = false;
  const startMs = performance.now();
  const onEnded = () => stop.abort();
  let toldMs = 0;
  stop.signal.addEventListener("abort", () => {
    toldMs = performance.now() - startMs;
  });
  await run(service, stop.signal, { onEnded });
  ok(toldMs > 500, `${toldMs} ms`);
});

Deno.test("a loop that is stopped takes what holders have, and not for long where they keep it", async () => {
  for (const answers of [true, false]) {
    const service = new ScriptedService();
    service.quiet = false;
    let turns = 0;
    service.work = answers ? [1, 0, 1] : [];
    service.onWait = () => {
      if (answers && ++turns === 2) service.quiet = true;
    };
    const startMs = performance.now();
    await run(service, AbortSignal.abort());
    const tookMs = performance.now() - startMs;
    equal(service.receiving, false);
    ok(service.waits.every((waitMs) => waitMs === 1));
    if (answers) equal(service.turns, 4);
    else ok(tookMs >= 200, `${tookMs} ms`);
  }
});

Deno.test("every notice is told, in order, once", async () => {
  const service = new ScriptedService();
  const stop = new AbortController();
  const told: string[] = [];
  service.notices = ["first", "second"];
  service.work = [1];
  service.onWait = () => {
    if (service.waits.length === 1) service.notices = ["third"];
    else stop.abort();
  };
  await run(service, stop.signal, { onNotice: (text) => told.push(text) });
  deepEqual(told, ["first", "second", "third"]);
});

Deno.test("holders on the same thread have a turn of the event loop after each of the service's; else there is one now and then", async () => {
  const turns = 2000;
  for (const sameThread of [true, false]) {
    const service = new ScriptedService();
    const stop = new AbortController();
    service.work = Array(turns).fill(1);
    let loops = 0;
    const count = () => {
      loops++;
      if (!stop.signal.aborted) setImmediate(count);
    };
    setImmediate(count);
    service.onWait = () => stop.abort();
    await run(service, stop.signal, { sameThread });
    if (sameThread) ok(loops >= turns, `${loops} turns of the event loop`);
    else ok(loops < turns / 2, `${loops} turns of the event loop`);
  }
});

Deno.test("a busy loop leaves its thread to timers now and then", async () => {
  const service = new ScriptedService();
  const stop = new AbortController();
  service.turn = () => 1;
  setTimeout(() => stop.abort(), 1);
  await run(service, stop.signal);
  deepEqual(service.waits, []);
});

Deno.test("a loop spins for work that comes often, where its thread is its own", async () => {
  for (const sameThread of [false, true]) {
    const service = new ScriptedService();
    const stop = new AbortController();
    // Work comes again and again just after the loop has found none.
    service.turn = () => {
      if (++service.turns === 1000) stop.abort();
      return service.turns % 2;
    };
    service.wait = (delayMs) => {
      service.waits.push(delayMs);
      return Promise.resolve();
    };
    await run(service, stop.signal, { spin: true, sameThread });
    const slept = service.waits.length;
    if (sameThread) equal(slept, 500);
    else ok(slept < 250, `${slept} times asleep`);
  }
});
