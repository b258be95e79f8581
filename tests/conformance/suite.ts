/** The one suite that every driver passes, for any test runner. */

import type { Counts } from "../../caps/driver/accounts.ts";
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  BATCH_MAX,
  batchAt,
  frameAt,
  frameOffset,
  PAGE_BYTES,
  RECEIVE_BATCH_OFFSET,
} from "../../caps/memory/memory.ts";
import {
  Caller,
  type DriverRig,
  type Lost,
  lostByName,
  TEST_FRAME_BYTES_MIN,
  testFrame,
} from "./driver_rig.ts";
import { subsequence, within } from "./checks.ts";
import { anyStep, runStep, type Step } from "./driver_schedule.ts";

/** What the suite must know of a driver beforehand. */
export interface DriverTraits {
  /** The smallest frame that its wire carries; 18 bytes by default. */
  readonly frameBytesMin?: number;
  /** The largest; 1,514 bytes by default. */
  readonly frameBytesMax?: number;
  /** Whether it ends once the arrivals are received, as a capture does. */
  readonly ends?: boolean;
  /** Whether it loses frames with rings empty: what was lost must be counted. */
  readonly lossy?: boolean;
  /** Whether others send on this wire too, so that counters show more. */
  readonly shared?: boolean;
  /** How long what is under way may take to show, in milliseconds; 500 by default. */
  readonly settleMs?: number;
  /** What its counters say was lost; by their names by default. */
  readonly lost?: (counters: Counts) => Lost;
}

/**
 * Makes a rig. `arrivals` is all that its far side will send, for a NIC that
 * must know it beforehand (a capture); for the others `inject` brings it.
 */
export type MakeRig = (
  arrivals: readonly Uint8Array[],
) => DriverRig | Promise<DriverRig>;

/** One test of the suite. */
export interface ConformanceTest {
  /** What it holds, as a sentence. */
  readonly name: string;
  /** Rejects when the driver does not. */
  readonly run: () => Promise<void>;
}

/** Random schedules, for fast-check. */
type AnySchedule = fc.IRawProperty<[readonly number[], readonly Step[]]>;

/**
 * The suite for a driver that `makeRig` makes for each test: what every
 * driver holds to, and `runs` random schedules of its calls (60 by default).
 * A failed schedule says the seed that repeats it.
 */
export function driverConformance(
  makeRig: MakeRig,
  traits: DriverTraits = {},
  runs: number = 60,
): readonly ConformanceTest[] {
  const run = async () => {
    await fc.assert(anySchedule(makeRig, traits), { numRuns: runs });
  };
  return [...fixedTests(makeRig, traits), { name: ANY_SCHEDULE, run }];
}

/** What {@link anySchedule} holds. */
export const ANY_SCHEDULE =
  "under any schedule a frame has one holder, and in = out + counted";

/** Random frames under random calls. */
export function anySchedule(
  makeRig: MakeRig,
  traits: DriverTraits,
): AnySchedule {
  return new Suite(makeRig, traits).anySchedule();
}

/** The tests that are the same in every run. */
export function fixedTests(
  makeRig: MakeRig,
  traits: DriverTraits,
): readonly ConformanceTest[] {
  const suite = new Suite(makeRig, traits);
  const lossless: readonly ConformanceTest[] = [
    {
      name: "what arrives is received, in order and byte for byte",
      run: () => suite.receives(),
    },
    {
      name:
        "what is transmitted reaches the far side, in order and byte for byte",
      run: () => suite.sends(),
    },
    {
      name: "pages go out with a frame's bytes and come back",
      run: () => suite.lendsPages(),
    },
  ];
  return [
    ...(traits.lossy ? [] : lossless),
    {
      name: "what arrives with no frame provided waits or is counted",
      run: () => suite.receivesWithoutFrames(),
    },
    {
      name: "full rings take a prefix and lose nothing of the rest",
      run: () => suite.fillsRings(),
    },
    {
      name: "nothing asked for is nothing done",
      run: () => suite.doesNothing(),
    },
    {
      name: "wait() ends by time, by wake(), by an arrival and by closing",
      run: () => suite.waits(),
    },
    {
      name: "it closes in every state, and twice",
      run: () => suite.closes(),
    },
    {
      name: "use after closing is an error that says so",
      run: () => suite.refuses(),
    },
  ];
}

class Suite {
  readonly #makeRig: MakeRig;
  readonly #traits: DriverTraits;
  readonly #min: number;
  readonly #max: number;
  readonly #settleMs: number;

  constructor(makeRig: MakeRig, traits: DriverTraits) {
    this.#makeRig = makeRig;
    this.#traits = traits;
    this.#min = traits.frameBytesMin ?? TEST_FRAME_BYTES_MIN;
    this.#max = traits.frameBytesMax ?? 1514;
    this.#settleMs = traits.settleMs ?? 500;
  }

  /** `count` frames of lengths all over the range, both ends of it included. */
  #frames(count: number): Uint8Array[] {
    const span = this.#max - this.#min + 1;
    return Array.from({ length: count }, (_, i) => {
      const length = i === 0 ? this.#max : this.#min + (i - 1) * 211 % span;
      return testFrame(i, length);
    });
  }

  /** Runs `body` on a new rig, then sees that all frames are accounted for. */
  async #with(
    arrivals: readonly Uint8Array[],
    body: (rig: DriverRig, caller: Caller) => Promise<void>,
  ): Promise<void> {
    await using rig = await this.#makeRig(arrivals);
    const caller = new Caller(rig);
    await body(rig, caller);
    const sees = () => {
      const lost = this.#lost(rig);
      return caller.received.length + lost.received >= arrivals.length &&
        caller.collected.length + lost.sent >= caller.sent.length;
    };
    await caller.settle(this.#settleMs, sees);
    caller.check();
    const lost = this.#lost(rig);
    const missing = subsequence("received", caller.received, arrivals);
    const unseen = subsequence("collected", caller.collected, caller.sent);
    if (this.#traits.shared) {
      ok(missing <= lost.received, `${missing} lost, ${lost.received} counted`);
      ok(unseen <= lost.sent, `${unseen} lost, ${lost.sent} counted`);
    } else {
      strictEqual(missing, lost.received, "arrived, neither got nor counted");
      strictEqual(unseen, lost.sent, "transmitted, neither got nor counted");
    }
    strictEqual(caller.sendingCount, 0, "frames that never came back");
  }

  #lost(rig: DriverRig): Lost {
    return (this.#traits.lost ?? lostByName)(rig.driver.counters());
  }

  async receives(): Promise<void> {
    const arrivals = this.#frames(24);
    await this.#with(arrivals, async (rig, caller) => {
      strictEqual(caller.provide(8), 8);
      await rig.inject(arrivals.slice(0, 8));
      await caller.settle(this.#settleMs, () => caller.received.length >= 8);
      for (let i = 8; i < 24; i += 4) {
        await rig.inject(arrivals.slice(i, i + 4));
        await caller.settle(
          this.#settleMs,
          () => caller.received.length >= i + 4,
        );
      }
      deepStrictEqual(caller.received, arrivals);
    });
  }

  async sends(): Promise<void> {
    const frames = this.#frames(20);
    await this.#with([], async (_rig, caller) => {
      for (let i = 0; i < frames.length;) {
        i += caller.transmit(frames.slice(i, i + 7));
        await caller.settle(this.#settleMs, () => caller.collected.length >= i);
      }
      deepStrictEqual(caller.collected, frames);
    });
  }

  async receivesWithoutFrames(): Promise<void> {
    const arrivals = this.#frames(40);
    await this.#with(arrivals, async (rig, caller) => {
      await rig.inject(arrivals);
      for (let i = 0; i < 5; i++) {
        strictEqual(caller.receive(BATCH_MAX), 0, "received into no frame");
        await rig.driver.wait(5);
      }
      caller.check();
    });
  }

  async fillsRings(): Promise<void> {
    const arrivals = this.#frames(12);
    await this.#with(arrivals, async (rig, caller) => {
      const total = caller.idleCount;
      // Leave frames for sending, and never ask again once it was full.
      const half = total >> 1;
      const provided = caller.provide(half);
      ok(provided > 0);
      if (provided < half) strictEqual(caller.provide(half - provided), 0);
      let sent = 0;
      let taken = 0;
      const burst = this.#frames(caller.idleCount);
      do {
        taken = caller.transmit(burst.slice(sent, sent + BATCH_MAX));
        sent += taken;
      } while (taken > 0 && sent < burst.length);
      ok(sent > 0);
      strictEqual(caller.idleCount, total - provided - sent);
      await rig.inject(arrivals);
    });
  }

  async doesNothing(): Promise<void> {
    await this.#with([], (_rig, caller) => {
      strictEqual(caller.provide(0), 0);
      strictEqual(caller.receive(0), 0);
      strictEqual(caller.receive(BATCH_MAX), 0);
      strictEqual(caller.transmit([]), 0);
      strictEqual(caller.reclaim(0), 0);
      strictEqual(caller.reclaim(16), 0);
      return Promise.resolve();
    });
  }

  async waits(): Promise<void> {
    const arrivals = this.#frames(4);
    const long = 2 ** 40; // More than a timer takes.
    await this.#with(arrivals, async (rig, caller) => {
      const { driver } = rig;
      driver.wake();
      await driver.wait(0);
      await driver.wait(1);
      const both = Promise.all([driver.wait(long), driver.wait(long)]);
      driver.wake();
      await within(both, "wake() ended no wait");
      caller.provide(8);
      // A wait may end for less; what it must not do is sleep over an arrival.
      let waiting = driver.wait(long);
      await rig.inject(arrivals);
      do {
        await within(waiting, "wait() slept over an arrival");
        waiting = caller.receive(BATCH_MAX) > 0 ? waiting : driver.wait(long);
      } while (caller.received.length === 0);
    });
    await using rig = await this.#makeRig([]);
    const last = rig.driver.wait(long);
    rig.driver[Symbol.dispose]();
    await within(last, "closing did not end the wait");
    rig.driver.wake();
  }

  async lendsPages(): Promise<void> {
    const arrivals = this.#frames(1);
    await using rig = await this.#makeRig(arrivals);
    const { driver, memory } = rig;
    const batch = batchAt(memory, RECEIVE_BATCH_OFFSET);
    driver.provide(Uint32Array.of(0, 1, 2, 3), 4);
    await rig.inject(arrivals);
    const wanted = arrivals[0]!;
    do {
      while (driver.receive(batch, 1) === 0) await driver.wait(1000);
    } while (batch.length[0] !== wanted.length);
    const frame = frameAt(batch.offset[0]!);
    const at = batch.offset[0]! - frameOffset(frame);
    const lent = driver.pages.lend(frame, 1);
    const page = structuredClone(lent, { transfer: [lent] });
    strictEqual(page.byteLength, PAGE_BYTES);
    deepStrictEqual(new Uint8Array(page, at, wanted.length), wanted);
    const impostors = [undefined, lent, new ArrayBuffer(8), new Proxy({}, {})];
    for (const impostor of impostors) {
      strictEqual(driver.pages.accept(frame, impostor), 0);
    }
    new Uint8Array(page).fill(0x5a);
    const back = structuredClone(page, { transfer: [page] });
    strictEqual(driver.pages.accept(frame, back), 1);
    const start = frameOffset(frame);
    const bytes = memory.bytes.subarray(start, start + PAGE_BYTES);
    ok(bytes.every((byte) => byte === 0x5a), "what the holder wrote is there");
    strictEqual(driver.pages.accept(frame, back), 0, "accepted twice");
  }

  async closes(): Promise<void> {
    const arrivals = this.#frames(6);
    const states: ((rig: DriverRig, caller: Caller) => unknown)[] = [
      () => {},
      (_rig, caller) => caller.provide(8),
      (rig) => rig.inject(arrivals),
      async (rig, caller) => {
        caller.provide(8);
        await rig.inject(arrivals);
        caller.receive(2);
        caller.forward(1);
      },
      (_rig, caller) => caller.transmit(arrivals),
    ];
    for (const prepare of states) {
      await using rig = await this.#makeRig(arrivals);
      const caller = new Caller(rig);
      await prepare(rig, caller);
      rig.driver[Symbol.dispose]();
      rig.driver[Symbol.dispose]();
      strictEqual(rig.driver.ended, true);
      caller.check();
    }
  }

  async refuses(): Promise<void> {
    await using rig = await this.#makeRig([]);
    const { driver } = rig;
    const batch = batchAt(rig.memory, RECEIVE_BATCH_OFFSET);
    strictEqual(driver.ended, this.#traits.ends ?? false);
    driver[Symbol.dispose]();
    const uses: (() => unknown)[] = [
      () => driver.provide(Uint32Array.of(0), 1),
      () => driver.receive(batch, 1),
      () => driver.transmit(batch, 0),
      () => driver.reclaim(new Uint32Array(1)),
      () => driver.wait(1),
    ];
    for (const use of uses) {
      await rejects(async () => await use(), (error: Error) => {
        ok(error.message.includes(driver.info.name), error.message);
        ok(error.message.includes("closed"), error.message);
        return true;
      });
    }
    driver.wake();
    driver.counters();
  }

  /** Random frames, and random calls around their coming and going. */
  anySchedule(): AnySchedule {
    const length = fc.integer({ min: this.#min, max: this.#max });
    return fc.asyncProperty(
      fc.array(length, { maxLength: 60 }),
      fc.array(anyStep(length), { maxLength: 60 }),
      async (lengths, steps) => {
        const arrivals = lengths.map((length, i) => testFrame(i, length));
        await this.#with(arrivals, async (rig, caller) => {
          const left = arrivals.slice();
          for (const step of steps) {
            await runStep(step, { rig, caller, left });
            caller.check();
          }
          await rig.inject(left);
        });
      },
    );
  }
}
