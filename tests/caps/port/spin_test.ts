import { equal, ok } from "node:assert/strict";
import { Spin } from "../../../caps/port/spin.ts";

/** A thread that finds nothing at `nowMs`, and looks until `idleMs` later, where something is. */
function idle(spin: Spin, nowMs: number, idleMs: number): void {
  spin.again(nowMs);
  spin.found(nowMs + idleMs);
}

/** How long a thread that is idle now would spin, in ms, to a µs. */
function budgetMs(spin: Spin): number {
  const nowMs = 1e6;
  let us = 0;
  while (spin.again(nowMs + us / 1000)) us++;
  // Idle for ever would shorten it: this one found something just in time.
  spin.found(nowMs + Math.max(0, us - 1) / 1000);
  return us / 1000;
}

Deno.test("a thread sleeps at once at first, and after it was idle for long", () => {
  const spin = new Spin();
  equal(spin.again(0), false);
  spin.found(1.5);
  equal(budgetMs(spin), 0);
});

Deno.test("a spin doubles from 20 µs with each short idle time that it was too short for, up to 1 ms", () => {
  const spin = new Spin();
  for (const expectedMs of [0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1, 1]) {
    idle(spin, 0, 1);
    ok(Math.abs(budgetMs(spin) - expectedMs) < 0.0015, `${expectedMs} ms`);
  }
});

Deno.test("a spin that was long enough stays as it is", () => {
  const spin = new Spin();
  idle(spin, 0, 1);
  idle(spin, 0, 1);
  const beforeMs = budgetMs(spin);
  idle(spin, 0, 0.03);
  idle(spin, 0, 0.01);
  equal(budgetMs(spin), beforeMs);
  // Nothing was to do in between: no idle time.
  spin.found(5);
  equal(budgetMs(spin), beforeMs);
});

Deno.test("a spin is halved with each idle time beyond 1 ms, down to nothing", () => {
  const spin = new Spin();
  for (let i = 0; i < 7; i++) idle(spin, 0, 1);
  for (const expectedMs of [0.5, 0.25, 0.125, 0.0625, 0.03125, 0, 0]) {
    idle(spin, 0, 1.001);
    ok(Math.abs(budgetMs(spin) - expectedMs) < 0.0015, `${expectedMs} ms`);
  }
});

Deno.test("idle time begins where nothing was found first, and is spun up to the budget", () => {
  const spin = new Spin();
  idle(spin, 0, 0.5);
  idle(spin, 0, 0.5);
  equal(spin.again(10), true);
  equal(spin.again(10.039), true);
  equal(spin.again(10.041), false);
  spin.found(10.03);
  equal(spin.again(20), true);
});
