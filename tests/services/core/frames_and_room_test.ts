/** What a core hears of a frame and says of one, when a batch ends, and when there is room again. */

import { deepEqual, equal, notEqual, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { makePipe, type Port, takeAll } from "../../../caps/port/port.ts";
import { RecordWalk } from "../../../caps/port/record_walk.ts";
import { RecordWriter } from "../../../caps/port/record_writer.ts";
import {
  type Delivery,
  INLINE_BYTES_MAX,
  OWN_STRINGS_MAX,
  RECORD_BYTES,
  RecordView,
  STRING_BYTES,
  type Submission,
} from "../../../caps/port/records.ts";
import { nextRecord } from "../../../caps/port/submission.ts";
import type { Core, Frame, Outbox } from "../../../services/core/core.ts";
import { CoreRunner } from "../../../services/core/runner.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;

/** A core that does what the test says, on a port whose other end the test has. */
class Stage implements Disposable {
  readonly runner: CoreRunner;
  readonly driver: Port<Delivery, Submission>;
  readonly failures: unknown[] = [];
  #now = 0;
  #alarm: () => void = () => {};

  constructor(core: Partial<Core>) {
    const [near, far] = makePipe<Submission, Delivery>();
    this.driver = far;
    const whole: Core = {
      wakeAt: Infinity,
      wake: () => {},
      receive: () => "handled",
      counters: () => ({}),
      ...core,
    };
    Object.defineProperty(whole, "wakeAt", {
      get: () => core.wakeAt ?? Infinity,
    });
    this.runner = new CoreRunner(whole, {
      port: near as Port<Submission | null, Delivery | null>,
      capability: 7n,
      clock: {
        now: () => this.#now,
        wake: (_at, callback) => void (this.#alarm = callback),
      },
      onFailure: (error) => this.failures.push(error),
    });
  }

  /** Lets the core's timer go off. */
  wake(): void {
    this.#now++;
    this.#alarm();
  }

  /** Delivers records with these offload words in one message, and waits for what comes back. */
  async deliver(...offloads: number[]): Promise<void> {
    const writer = new RecordWriter();
    writer.begin(new ArrayBuffer(STRING_BYTES));
    const place = writer.name(3n);
    for (const offload of offloads) writer.addInline(place, 60, offload);
    this.driver.post(writer.take());
    await turn();
  }

  /** What the core has posted. */
  taken(): Submission[] {
    return [...takeAll(this.driver)];
  }

  [Symbol.dispose](): void {
    this.runner[Symbol.dispose]();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** What the records of a message wish. */
function offloadsIn({ records, count }: Submission): number[] {
  const found: number[] = [];
  const walk = new RecordWalk(records, count);
  while (walk.next()) found.push(walk.view.offload(walk.at));
  return found;
}

const word = fc.nat({ max: 0xffff_ffff });

testProperty(
  "a core hears the offload word of each frame, and what it leaves there goes back with its reply",
  { runs: 50, file },
  fc.asyncProperty(
    fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 20 }),
    async (words) => {
      const heard: number[] = [];
      using stage = new Stage({
        receive(frame) {
          heard.push(frame.offload);
          frame.offload = words[heard.length - 1]![1];
          return "reply";
        },
      });
      await stage.deliver(...words.map(([given]) => given));
      deepEqual(heard, words.map(([given]) => given));
      const [back] = stage.taken();
      deepEqual(offloadsIn(back!), words.map(([, said]) => said));
      deepEqual(stage.failures, []);
    },
  ),
);

Deno.test("a frame of the core's own carries its wish, and the next one carries none", () => {
  const given: Frame[] = [];
  const core: Partial<Core> = {
    wakeAt: 0,
    wake: (_now, out) => {
      for (const offload of [0xffff_0302, undefined, 2]) {
        const frame = out.open(60)!;
        given.push(frame);
        frame.length = 60;
        if (offload !== undefined) frame.offload = offload;
        out.send();
      }
      Object.assign(core, { wakeAt: Infinity });
    },
  };
  using stage = new Stage(core);
  const [sent] = stage.taken();
  deepEqual(sent!.capabilities, [7n]);
  deepEqual(offloadsIn(sent!), [0xffff_0302, 0, 2]);
  // None is made for a frame.
  equal(new Set(given).size, 1);
});

Deno.test("what a core writes to a frame after it was sent changes nothing", () => {
  const core: Partial<Core> = {
    wakeAt: 0,
    wake: (_now, out) => {
      const frame = out.open(60)!;
      frame.length = 60;
      out.send();
      Object.assign(frame, { length: 9, offload: 2, start: 0, capacity: 1e9 });
      throws(() => out.send(), /without a frame/);
      out.open(60)!.length = 61;
      throws(() => out.send(), /outgrew/);
      // What does not fit a byte string opens nothing.
      equal(out.open(INLINE_BYTES_MAX + 1), undefined);
      throws(() => out.send(), /without a frame/);
      Object.assign(core, { wakeAt: Infinity });
    },
  };
  using stage = new Stage(core);
  const [sent] = stage.taken();
  deepEqual([sent!.count, ...offloadsIn(sent!)], [1, 0]);
  deepEqual(stage.failures, []);
});

Deno.test("a super-packet as long as a byte string takes goes out of a core whole", () => {
  const core: Partial<Core> = {
    wakeAt: 0,
    wake: (_now, out) => {
      const frame = out.open(INLINE_BYTES_MAX)!;
      frame.bytes.fill(0x5a, frame.start, frame.start + INLINE_BYTES_MAX);
      frame.length = INLINE_BYTES_MAX;
      out.send();
      Object.assign(core, { wakeAt: Infinity });
    },
  };
  using stage = new Stage(core);
  const [sent] = stage.taken();
  const bytes = new Uint8Array(sent!.records, RECORD_BYTES, INLINE_BYTES_MAX);
  ok(bytes.every((byte) => byte === 0x5a));
});

testProperty(
  "what a core may open, however long, is a record that the driver reads",
  { runs: 200, file },
  fc.property(
    fc.array(
      fc.oneof(
        fc.integer({ min: -40, max: 40 }).map((more) =>
          INLINE_BYTES_MAX + more
        ),
        fc.nat(INLINE_BYTES_MAX),
      ),
      { minLength: 1, maxLength: OWN_STRINGS_MAX },
    ),
    (sizes) => {
      const core: Partial<Core> = {
        wakeAt: 0,
        wake: (_now, out) => {
          for (const size of sizes) {
            const frame = out.open(size);
            equal(frame !== undefined, size <= INLINE_BYTES_MAX);
            if (frame === undefined) continue;
            frame.length = size;
            out.send();
          }
          Object.assign(core, { wakeAt: Infinity });
        },
      };
      using stage = new Stage(core);
      const lengths = stage.taken().flatMap(({ records, count }) => {
        const view = new RecordView(records);
        let at = 0;
        return Array.from({ length: count }, () => {
          const length = view.length(at);
          const next = nextRecord(at, view.stride(at));
          ok(next >= at + RECORD_BYTES + length);
          at = next;
          return length;
        });
      });
      deepEqual(lengths, sizes.filter((size) => size <= INLINE_BYTES_MAX));
      deepEqual(stage.failures, []);
    },
  ),
);

Deno.test("a batch ends once, after all frames that came in one turn", async () => {
  const seen: string[] = [];
  using stage = new Stage({
    receive: () => {
      seen.push("frame");
      return "handled";
    },
    endOfBatch: () => void seen.push("end"),
  });
  await Promise.all([stage.deliver(0, 0), stage.deliver(0)]);
  await stage.deliver(0);
  stage.driver.post(emptyString());
  await turn();
  deepEqual(seen, ["frame", "frame", "frame", "end", "frame", "end"]);
});

Deno.test("what a core sends at the end of a batch goes out in the same turn", async () => {
  using stage = new Stage({
    endOfBatch: (_now, out) => {
      out.open(60)!.length = 60;
      out.send();
    },
  });
  await stage.deliver(0, 0);
  deepEqual(stage.taken().map(({ count }) => count), [2, 1]);
});

/** A byte string that comes back after a send. */
function emptyString(): Delivery {
  return {
    capabilities: [],
    records: new ArrayBuffer(STRING_BYTES),
    count: 0,
    pages: [],
  };
}

/** Sends whole strings until there is no room. Returns how many. */
function fill(out: Outbox): number {
  for (let count = 0;; count++) {
    const frame = out.open(INLINE_BYTES_MAX);
    if (frame === undefined) return count;
    frame.length = INLINE_BYTES_MAX;
    out.send();
  }
}

Deno.test("a core that was refused is told once that there is room, when a string comes back, and not before", async () => {
  const told: number[] = [];
  const core: Partial<Core> = {
    wakeAt: 0,
    wake: (_now, out) => {
      equal(fill(out), OWN_STRINGS_MAX);
      Object.assign(core, { wakeAt: Infinity });
    },
    onRoom: (_now, out) => {
      const frame = out.open(60);
      notEqual(frame, undefined);
      told.push(told.length);
    },
  };
  using stage = new Stage(core);
  equal(stage.taken().length, OWN_STRINGS_MAX);
  await stage.deliver(0);
  deepEqual(told, []);
  stage.driver.post(emptyString());
  await turn();
  deepEqual(told, [0]);
  stage.driver.post(emptyString());
  await turn();
  deepEqual(told, [0]);
});

Deno.test("a core that has never been refused is told nothing, and one that was is when it is connected again", () => {
  let told = 0;
  const core: Partial<Core> = { wakeAt: 0, onRoom: () => void told++ };
  let outbox: Outbox | undefined;
  Object.assign(core, {
    wake: (_now: number, out: Outbox) => {
      outbox = out;
      Object.assign(core, { wakeAt: Infinity });
    },
  });
  using stage = new Stage(core);
  const connect = () => {
    const [port] = makePipe<Submission, Delivery>();
    stage.runner.reconnect({
      port: port as Port<Submission | null, Delivery | null>,
      capability: 9n,
    });
  };
  connect();
  equal(told, 0);
  fill(outbox!);
  connect();
  equal(told, 1);
  connect();
  equal(told, 1);
});
