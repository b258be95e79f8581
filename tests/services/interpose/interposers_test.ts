/** What each interposer does to packets, seen from the holder and from the wire. */

import assert from "node:assert/strict";
import type { Port } from "../../../caps/port/port.ts";
import type { Delivery, Submission } from "../../../caps/port/records.ts";
import type { Frame } from "../../../services/core/core.ts";
import { ipv4 } from "../../../services/filter/grant/builder.ts";
import { witness } from "../../arbitraries/witness.ts";
import { count } from "../../../services/interpose/count.ts";
import {
  delay,
  DELAY_MS_MAX,
  type DelayOptions,
} from "../../../services/interpose/delay.ts";
import { drop, type DropOptions } from "../../../services/interpose/drop.ts";
import { interpose } from "../../../services/interpose/interpose.ts";
import type { Interposer } from "../../../services/interpose/interposer.ts";
import { log } from "../../../services/interpose/log.ts";
import { rewrite } from "../../../services/interpose/rewrite.ts";
import { type HolderPlan, packetsOf, Rig } from "../../drivers/service/rig.ts";
import { Holder } from "./holders.ts";
import { VirtualTime } from "../../simulation/virtual_time.ts";
import { passTime } from "./pass_time.ts";

const PLAN: HolderPlan = {
  receives: ipv4().udp().dstPort(7).grant,
  sends: ipv4().udp().dstPort(7).grant,
  quotaPages: 64,
  copyBytesMax: 2048,
};

/** The n-th frame for the holder. */
function frameOf(n: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(100);
  frame.set(witness(PLAN.receives[0]!));
  frame[99] = n;
  return frame;
}

/** One holder with interposers before it. */
class Bench implements Disposable {
  readonly rig: Rig;
  readonly time = new VirtualTime();
  readonly holder: Holder;

  constructor(plan: Partial<HolderPlan>, interposers: readonly Interposer[]) {
    this.rig = new Rig([{ ...PLAN, ...plan }], 256);
    const [{ port, capability }] = this.rig.holders as [Rig["holders"][0]];
    const real = port as Port<Submission, Delivery>;
    const makeClock = () => this.time.makeClock();
    this.holder = new Holder(
      interpose(real, interposers, { makeClock }),
      capability,
    );
  }

  /** Has frames arrive. */
  arrive(from: number, to: number): void {
    for (let n = from; n < to; n++) {
      this.rig.far.send(frameOf(n), 0, 100);
    }
    this.rig.turn();
    this.holder.take();
  }

  /** The last byte of each packet that the holder has. */
  got(): number[] {
    return this.holder.kept.flatMap((delivery) =>
      packetsOf(delivery).map(({ bytes }) => bytes[99]!)
    );
  }

  /** Lets the holder send back all that it has, and the driver send it. */
  answer(): number[] {
    const frame = new Uint8Array(0);
    while (this.holder.kept.length > 0) {
      this.holder.act({ does: "answer", noise: 0, frame });
    }
    this.rig.turn();
    return this.wire();
  }

  wire(): number[] {
    this.rig.turn();
    return this.rig.sent().map((bytes) => bytes[99]!);
  }

  [Symbol.dispose](): void {
    this.rig[Symbol.dispose]();
  }
}

for (const copyBytesMax of [0, 2048]) {
  const how = copyBytesMax === 0 ? "in pages" : "as copies";

  Deno.test(`a delay holds packets ${how} for just so long, both ways, and keeps their order`, () => {
    using bench = new Bench({ copyBytesMax }, [delay({ delayMs: 5 })]);
    bench.arrive(0, 3);
    passTime(bench.time, 2000);
    bench.arrive(3, 5);
    passTime(bench.time, 2999);
    bench.holder.take();
    assert.deepEqual(bench.got(), []);
    passTime(bench.time, 1);
    bench.holder.take();
    assert.deepEqual(bench.got(), [0, 1, 2]);
    passTime(bench.time, 2000);
    bench.holder.take();
    assert.deepEqual(bench.got(), [0, 1, 2, 3, 4]);
    assert.deepEqual(bench.answer(), []);
    passTime(bench.time, 4999);
    assert.deepEqual(bench.wire(), []);
    passTime(bench.time, 1);
    assert.deepEqual(bench.wire(), [0, 1, 2, 3, 4]);
  });

  Deno.test(`packets ${how} that are dropped are the same for the same seed, others for another`, () => {
    const survivors = (seed: number) => {
      using bench = new Bench({ copyBytesMax }, [
        drop({ probability: 0.5, seed }),
      ]);
      for (let n = 0; n < 50; n += 5) bench.arrive(n, n + 5);
      return bench.got();
    };
    const [one, again, other] = [survivors(1), survivors(1), survivors(2)];
    assert.deepEqual(again, one);
    assert.notDeepEqual(other, one);
    assert.ok(one!.length > 10 && one!.length < 40, `${one!.length} of 50`);
    assert.deepEqual(one, [...one!].sort((a, b) => a - b));
  });

  Deno.test(`a holder that answers nothing has at most eight deliveries ${how}, delayed or not`, () => {
    using bench = new Bench({ copyBytesMax }, [delay({ delayMs: 1 })]);
    for (let n = 0; n < 40; n++) {
      bench.arrive(n, n + 1);
      passTime(bench.time, 1000);
      bench.holder.take();
    }
    assert.equal(bench.holder.kept.length, 8);
    assert.equal(bench.got().length, 8);
    // One that is answered lets the rest go on, in one delivery.
    bench.holder.act({ does: "return", noise: 0, frame: new Uint8Array(0) });
    bench.holder.take();
    assert.deepEqual(bench.got(), Array.from({ length: 39 }, (_, i) => i + 1));
  });
}

Deno.test("jitter lets packets overtake each other, and loses none", () => {
  using bench = new Bench({}, [delay({ delayMs: 1, jitterMs: 10, seed: 3 })]);
  bench.arrive(0, 40);
  for (let i = 0; i < 20; i++) {
    passTime(bench.time, 1000);
    bench.holder.take();
    if (i % 2 === 0) bench.answer();
  }
  bench.answer();
  passTime(bench.time, 20_000);
  bench.wire();
  const { deliveredPackets, sentPackets } = bench.rig.service.counts()
    .accounts[0]!;
  assert.deepEqual([deliveredPackets, sentPackets], [40, 40]);
});

Deno.test("a rewritten frame is longer or shorter within its room, and what outgrows it is dropped and counted", () => {
  const by = [1, -1, 4000, -90];
  const rewriting = rewrite((frame, way) => {
    if (way === "in") frame.length += by[frame.bytes[frame.start + 99]!]!;
  });
  using bench = new Bench({ copyBytesMax: 0 }, [rewriting]);
  bench.arrive(0, 4);
  const lengths = bench.holder.kept.flatMap((delivery) =>
    packetsOf(delivery).map(({ bytes }) => bytes.length)
  );
  assert.deepEqual(lengths, [101, 99]);
  assert.deepEqual(rewriting.tally.snapshot(), { outgrown: 2 });
  bench.rig.turn();
  assert.equal(bench.rig.service.counts().pages.lent, 2);
});

Deno.test("what an interposer makes of a frame is sent only where the capability's grant lets it", () => {
  const rewriting = rewrite((frame, way) => {
    if (way === "out") {
      frame.bytes[frame.start + 37]! ^= frame.bytes[frame.start + 99]!;
    }
  });
  using bench = new Bench({}, [rewriting]);
  bench.arrive(0, 3);
  assert.deepEqual(bench.answer(), [0]);
  const [account] = bench.rig.service.counts().accounts;
  assert.deepEqual(account!.drops, { "send-not-permitted": 2 });
});

Deno.test("interposers stand in the order that they are given: the first is next to the driver", () => {
  const seen: string[] = [];
  const sink = (name: string) =>
    log({
      write: (frame, way, now) => {
        seen.push(`${name} ${way} ${frame.bytes[frame.start + 99]} at ${now}`);
        return true;
      },
      flush() {},
    });
  const counting = count();
  using bench = new Bench({}, [
    sink("near"),
    delay({ delayMs: 1 }),
    sink("far"),
    counting,
  ]);
  bench.arrive(7, 8);
  passTime(bench.time, 1000);
  bench.holder.take();
  bench.answer();
  passTime(bench.time, 1000);
  assert.deepEqual(seen, [
    "near in 7 at 0",
    "far in 7 at 1000",
    "far out 7 at 1000",
    "near out 7 at 2000",
  ]);
  assert.deepEqual(counting.tally.snapshot(), {
    "delivered": 1,
    "delivered-bytes": 100,
    "sent": 1,
    "sent-bytes": 100,
  });
});

Deno.test("what is held has a bound: beyond it frames are dropped and counted", () => {
  const slow = delay({ delayMs: 1000 });
  using bench = new Bench({ quotaPages: 64 }, [slow]);
  const long = new Uint8Array(1500);
  long.set(frameOf(0));
  const sent = 6000;
  for (let i = 0; i < sent; i++) {
    bench.holder.act({ does: "send", noise: 0, frame: long });
    bench.rig.turn();
    bench.holder.take();
  }
  const lost = slow.tally.of("no-room");
  assert.ok(lost > 0 && lost < sent / 2, `${lost} lost`);
  assert.equal(slow.tally.of("delayed"), sent);
});

Deno.test("a jitter is drawn from its whole range, each way by itself, and the same for the same seed", () => {
  const dues = (options: Partial<DelayOptions>, ways: string) => {
    const delayer = delay({ delayMs: 2, jitterMs: 0.003, ...options });
    const frame = undefined as unknown as Frame;
    const all = [...ways].map((way) =>
      way === "i" ? delayer.deliver(frame, 100) : delayer.submit(frame, 100)
    ) as number[];
    return all.filter((_, i) => ways[i] === ways[0]);
  };
  const inwards = dues({}, "i".repeat(200));
  assert.deepEqual([...new Set(inwards)].sort(), [2100, 2101, 2102, 2103]);
  assert.deepEqual(dues({ seed: 1 }, "io".repeat(200)), inwards);
  assert.notDeepEqual(dues({ seed: 2 }, "i".repeat(200)), inwards);
  assert.notDeepEqual(dues({}, "o".repeat(200)), inwards);
  assert.deepEqual(dues({ jitterMs: 0 }, "ii"), [2100, 2100]);
});

Deno.test("packets are lost each way by itself, and counted", () => {
  const lost = (options: Partial<DropOptions>, ways: string) => {
    const dropper = drop({ probability: 0.5, ...options });
    const frame = undefined as unknown as Frame;
    const all = [...ways].map((way) =>
      way === "i" ? dropper.deliver(frame, 0) : dropper.submit(frame, 0)
    );
    const dropped = (way: string) =>
      all.filter((verdict, i) => ways[i] === way && verdict === "drop").length;
    const { tally } = dropper;
    assert.equal(tally.of("dropped"), dropped("i"));
    assert.equal(tally.of("dropped-sent"), dropped("o"));
    return all.filter((_, i) => ways[i] === ways[0]).join();
  };
  const inwards = lost({}, "i".repeat(99));
  assert.equal(lost({ seed: 1 }, "io".repeat(99)), inwards);
  assert.notEqual(lost({}, "o".repeat(99)), inwards);
  for (const [probability, verdict] of [[0, "pass"], [1, "drop"]] as const) {
    for (const way of ["i", "o"]) {
      const all = lost({ probability }, way.repeat(99));
      assert.deepEqual([...new Set(all.split(","))], [verdict]);
    }
  }
});

Deno.test("a log says what it lost, writes when nothing more comes, and lets everything pass", () => {
  let [flushed, room] = [0, 3];
  const logging = log({ write: () => room-- > 0, flush: () => flushed++ });
  using bench = new Bench({}, [logging]);
  bench.arrive(0, 2);
  assert.equal(flushed, 1);
  assert.deepEqual(bench.answer(), [0, 1]);
  bench.holder.take();
  assert.equal(flushed, 2);
  assert.deepEqual(logging.tally.snapshot(), { logged: 3, lost: 1 });
});

Deno.test("what a function drops, or throws at, goes nowhere and is counted", () => {
  const rewriting = rewrite((frame, way) => {
    const n = frame.bytes[frame.start + 99]!;
    if (way === "in" && n === 1) throw new Error("one");
    if (way === "out" && n === 2) return "drop";
    if (way === "out" && n === 3) frame.length = 4000;
  });
  using bench = new Bench({}, [rewriting]);
  bench.arrive(0, 5);
  assert.deepEqual(bench.got(), [0, 2, 3, 4]);
  assert.deepEqual(bench.answer(), [0, 4]);
  assert.deepEqual(rewriting.tally.snapshot(), {
    threw: 1,
    dropped: 1,
    outgrown: 1,
  });
});

Deno.test("interposers that make no sense are refused, and those at the limits are not", () => {
  const makeBench = (count: number, interposer: () => Interposer) =>
    new Bench({}, Array.from({ length: count }, interposer));
  for (const number of [0, 17]) {
    assert.throws(
      () => makeBench(number, count),
      new RegExp(`${number} interposers; .* 1 to 16`),
    );
  }
  const all: Interposer[] = [];
  using bench = makeBench(16, () => {
    all.push(count());
    return all.at(-1)!;
  });
  bench.arrive(0, 1);
  assert.deepEqual(all.map(({ tally }) => tally.of("delivered")), [
    ...Array(16).fill(1),
  ]);
  assert.throws(() => drop({ probability: 1.1 }), /is 1.1; .* from 0 to 1/);
  assert.throws(() => drop({ probability: -0.1 }), /from 0 to 1/);
  assert.throws(() => delay({ delayMs: -1 }), /delayMs is -1/);
  assert.throws(() => delay({ delayMs: DELAY_MS_MAX + 1 }), /from 0 to 60000/);
  assert.throws(() => delay({ delayMs: 0, jitterMs: NaN }), /jitterMs is NaN/);
  const slowest = { delayMs: DELAY_MS_MAX, jitterMs: DELAY_MS_MAX };
  const due = delay(slowest).deliver(undefined as unknown as Frame, 0);
  assert.ok(due as number >= 60_000_000 && due as number <= 120_000_000);
});

Deno.test("by default delays are those of real time", async () => {
  using rig = new Rig([PLAN], 256);
  const [{ port, capability }] = rig.holders as [Rig["holders"][0]];
  const real = port as Port<Submission, Delivery>;
  const posed = interpose(real, [delay({ delayMs: 1 })]);
  const holder = new Holder(posed, capability);
  const isReady = new Promise<void>((resolve) => posed.onReady = resolve);
  rig.far.send(frameOf(0), 0, 100);
  rig.turn();
  holder.take();
  assert.equal(holder.kept.length, 0);
  await isReady;
  while (holder.kept.length === 0) {
    holder.take();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  posed[Symbol.dispose]();
});
