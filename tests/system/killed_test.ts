/** Systems that are killed at any moment: what they leave of the interface, and of all else that the kernel has. */

import { delay } from "@std/async/delay";
import assert from "node:assert/strict";
import {
  INTERFACE,
  type Namespace,
  type NamespacePair,
  NETNS_NEEDS,
} from "../netns.ts";
import { testWith } from "../needs.ts";
import { ADDRESS, makePair, path } from "../drivers/xdp/echo.ts";
import {
  kernelState,
  leftOver,
  type Loaded,
  loadedOn,
} from "./kernel_state.ts";

const NEEDS = [...NETNS_NEEDS, "tool:bpftool", "tool:bash"] as const;

const KILLS = 50;

/** Each pair of namespaces has a part of them, one after the other. */
const PAIRS = 2;

/** How long a process lives at the most, as a multiple of how long the first one took to attach here. */
const LIVES_MAX = 3;

/** Numbers from 0 to 1, always the same ones of a seed (mulberry32). */
function* fractions(seed: number): Generator<number, never> {
  for (;;) {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    yield ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** The state once both ends have each other's carrier. */
async function carried(space: Namespace): Promise<unknown> {
  while ((await space.link())["operstate"] !== "UP") {
    await delay(10);
  }
  return await kernelState(space);
}

/** Has packets come that the driver claims: bursts of twenty. */
function burst(space: Namespace): Deno.ChildProcess {
  const send = `echo packet > /dev/udp/${ADDRESS}/7`;
  const loop =
    `while :; do for i in {1..20}; do ${send}; done; sleep 0.01; done`;
  const quiet = { stdout: "null", stderr: "null" } as const;
  return space.spawn(["bash", "-c", loop], quiet);
}

/** A process that drives the interface. */
function drive(space: Namespace): Deno.ChildProcess {
  const flags = ["--no-prompt", "--no-check", "--allow-ffi"];
  return space.spawn(
    [Deno.execPath(), "run", ...flags, path("./echo_process.ts"), INTERFACE],
    { stdin: "null", stdout: "null", stderr: "null" },
  );
}

/** How long a process takes to attach, on this machine as busy as it is. */
async function attachMs(space: Namespace): Promise<number> {
  const startMs = performance.now();
  const child = drive(space);
  while (await loadedOn(space) === undefined) await delay(1);
  const tookMs = performance.now() - startMs;
  child.kill("SIGKILL");
  await child.status;
  return tookMs;
}

/**
 * Kills a process that drives the interface, once for each of `lives`, which are
 * fractions of the longest. Returns what those had loaded that had attached.
 */
async function killAll(
  { left, right }: NamespacePair,
  lives: readonly number[],
): Promise<Loaded[]> {
  const before = await carried(right);
  const traffic = burst(left);
  const lifeMsMax = LIVES_MAX * await attachMs(right);
  const all: Loaded[] = [];
  for (const life of lives) {
    const child = drive(right);
    const lifeMs = Math.round(life * lifeMsMax);
    await delay(lifeMs);
    const loaded = await loadedOn(right).catch(() => undefined);
    if (loaded !== undefined) all.push(loaded);
    child.kill("SIGKILL");
    await child.status;
    assert.deepEqual(await kernelState(right), before, `after ${lifeMs} ms`);
  }
  traffic.kill("SIGKILL");
  await traffic.status;
  return all;
}

testWith(
  NEEDS,
  `killed ${KILLS} times at random points, a driver leaves the interface, its addresses and neighbours as they were, and no program or map`,
  async () => {
    const random = fractions(7);
    const lives = Array.from(
      { length: KILLS },
      () => random.next().value,
    );
    await using pairs = new AsyncDisposableStack();
    const loaded = await Promise.all(
      Array.from({ length: PAIRS }, async (_, n) => {
        const pair = pairs.use(await makePair());
        const part = lives.filter((_, index) => index % PAIRS === n);
        return await killAll(pair, part);
      }),
    );
    const attached = loaded.flat().length;
    assert.ok(attached >= KILLS / 5, `${attached} of ${KILLS} had attached`);
    assert.ok(attached < KILLS, "none was killed before it had attached");
    assert.deepEqual(await leftOver(loaded.flat()), []);
  },
);
