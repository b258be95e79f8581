/** What each interposer does to packets, seen from the holder and from the wire. */

import assert from "node:assert/strict";
import type { Port } from "../../../caps/port/port.ts";
import type { Delivery, Submission } from "../../../caps/port/records.ts";
import { ipv4 } from "../../../services/filter/grant/builder.ts";
import { witness } from "../../arbitraries/witness.ts";
import { count } from "../../../services/interpose/count.ts";
import { delay } from "../../../services/interpose/delay.ts";
import { drop } from "../../../services/interpose/drop.ts";
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

Deno.test("interposers that make no sense are refused", () => {
  using bench = new Bench({}, [count()]);
  const { port } = bench.holder;
  const real = port as Port<Submission, Delivery>;
  assert.throws(() => interpose(real, []), /0 interposers; .* 1 to 16/);
  assert.throws(() => drop({ probability: 1.1 }), /from 0 to 1/);
  assert.throws(() => delay({ delayMs: -1 }), /delayMs is -1/);
  assert.throws(() => delay({ delayMs: 0, jitterMs: NaN }), /jitterMs is NaN/);
});
