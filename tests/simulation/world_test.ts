/** The simulated world itself: the same options give the same events, faults do what they say, and what must not be is found. */

import {
  deepEqual,
  equal,
  match,
  ok,
  rejects,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import { arpService } from "../../services/arp/service.ts";
import type { Core, Frame } from "../../services/core/core.ts";
import { NEVER } from "../../services/runtime/clock.ts";
import { icmpEchoService } from "../../services/icmp-echo/service.ts";
import { udpEchoService } from "../../services/udp-echo/service.ts";
import { faultSchedule } from "../arbitraries/faults.ts";
import { testProperty } from "../property.ts";
import type { Fault, FaultPlan } from "./faults.ts";
import { formatTrace } from "./trace.ts";
import { simulate, type SimulationOptions } from "./world.ts";

const file = import.meta.url;

const services: SimulationOptions["services"] & object = {
  arp: arpService,
  ping: { ...icmpEchoService, place: "driver" },
  echo: { ...udpEchoService, copyBytesMax: 200 },
};

/** A world for `forMs`; what was seen of it. */
async function live(options: SimulationOptions, forMs: number) {
  using world = simulate(options);
  await world.run({ forMs });
  world.check();
  return { text: formatTrace(world.trace), faults: world.faults };
}

const schedule = faultSchedule({
  stations: ["host", "peer"],
  parties: ["arp", "ping", "echo", "driver"],
  withinMs: 60,
});
const rate = fc.constantFrom(0, 0.1, 0.4);
const plan: fc.Arbitrary<FaultPlan> = fc.record({
  schedule,
  rates: fc.record({
    loss: rate,
    duplication: rate,
    reordering: rate,
    corruption: rate,
    truncation: rate,
  }),
  crashesPerSecond: fc.constantFrom(0, 10),
  stallsPerSecond: fc.constantFrom(0, 20),
  untilMs: fc.constant(60),
});

testProperty(
  "the same seed and the same faults give the same trace, to the byte",
  { runs: 30, file },
  fc.asyncProperty(fc.nat(), plan, async (seed, faults) => {
    const options = { seed, services, faults, peer: {} };
    const once = await live(options, 80);
    const again = await live(options, 80);
    equal(again.text, once.text);
  }),
);

testProperty(
  "the faults that happened are a schedule that makes the same happen again",
  { runs: 30, file },
  fc.asyncProperty(fc.nat(), plan, async (seed, faults) => {
    const options = { seed, services, peer: {} };
    const drawn = await live({ ...options, faults }, 80);
    const replayed = await live({ ...options, faults: drawn.faults }, 80);
    equal(replayed.text, drawn.text);
    deepEqual(replayed.faults, drawn.faults);
  }),
);

Deno.test("another seed gives another trace", async () => {
  const traces = await Promise.all(
    [1, 2, 3].map((seed) => live({ seed, services, peer: {} }, 30)),
  );
  equal(new Set(traces.map(({ text }) => text)).size, 3);
});

Deno.test("worlds in turns do not disturb each other", async () => {
  const options = { services, peer: {}, faults: { rates: { loss: 0.2 } } };
  const alone = await live(options, 50);
  const together = await Promise.all([live(options, 50), live(options, 50)]);
  deepEqual(together, [alone, alone]);
});

/** Frames to an unused address, ten of them, a millisecond from one to the next. */
const FRAMES = Array.from(
  { length: 10 },
  (_, i) => new Uint8Array(60).fill(i + 1),
);

/** What the host hears of {@link FRAMES} with these faults: when, and what. */
async function heardWith(faults: FaultPlan | readonly Fault[]) {
  using world = simulate({ services, faults, latencyUs: 50 });
  FRAMES.forEach((frame, i) => world.send(frame, i));
  await world.run({ forMs: 30 });
  world.check();
  return world.heard("host").map(({ atUs, bytes }) => [atUs, bytes] as const);
}

Deno.test("without faults every frame comes once, whole, in order, after the latency", async () => {
  deepEqual(
    await heardWith([]),
    FRAMES.map((frame, i) => [i * 1000 + 50, frame]),
  );
});

Deno.test("each fault does to its frame what it says, and to no other", async () => {
  const from = "test";
  const heard = await heardWith([
    { kind: "loss", from, frame: 0 },
    { kind: "duplication", from, frame: 1, lateUs: 300 },
    { kind: "reordering", from, frame: 2, lateUs: 1200 },
    { kind: "corruption", from, frame: 4, bit: 8 * 60 + 11 },
    { kind: "truncation", from, frame: 5, bytes: 0 },
    { kind: "truncation", from, frame: 6, bytes: 58 },
    { kind: "loss", from, frame: 99 },
  ]);
  const turned = FRAMES[4]!.slice();
  turned[1]! ^= 8;
  deepEqual(heard, [
    [1050, FRAMES[1]],
    [1350, FRAMES[1]],
    [3050, FRAMES[3]],
    [3250, FRAMES[2]],
    [4050, turned],
    [5050, FRAMES[5]!.slice(0, 59)],
    [6050, FRAMES[6]!.slice(0, 1)],
    [7050, FRAMES[7]],
    [8050, FRAMES[8]],
    [9050, FRAMES[9]],
  ]);
});

Deno.test("drawn faults end when they should", async () => {
  const heard = await heardWith({ rates: { loss: 1 }, untilMs: 4.5 });
  deepEqual(heard.map(([, bytes]) => bytes), FRAMES.slice(5));
});

/** How many of a peer's pings were answered in each tenth of 100 ms, one every millisecond. */
async function answersWith(faults: readonly Fault[]) {
  const peer = {
    pingIntervalUs: 1000,
    udpIntervalUs: Infinity,
    noisePercent: 0,
  };
  using world = simulate({ services, faults, peer });
  const answers: number[] = [];
  for (let i = 0; i < 10; i++) {
    const before = world.counters("peer")["ping-answered"] ?? 0;
    await world.run({ forMs: 10 });
    answers.push(world.counters("peer")["ping-answered"]! - before);
  }
  world.check();
  return answers;
}

Deno.test("a service that crashes answers nothing until it has started again", async () => {
  for (const who of ["ping", "driver"]) {
    deepEqual(
      await answersWith([{ kind: "crash", who, atMs: 20, forMs: 10 }]),
      [10, 10, 0, 10, 10, 10, 10, 10, 10, 10],
      who,
    );
  }
});

Deno.test("what stalls is late, and loses nothing that its queues hold", async () => {
  for (const who of ["ping", "driver"]) {
    deepEqual(
      await answersWith([{ kind: "stall", who, atMs: 20, forMs: 15 }]),
      [10, 10, 0, 20, 10, 10, 10, 10, 10, 10],
      who,
    );
  }
});

Deno.test("a crash while others are under way, and of what is down already, is no more than one", async () => {
  const crash = (who: string, atMs: number, forMs: number): Fault => ({
    kind: "crash",
    who,
    atMs,
    forMs,
  });
  const answers = await answersWith([
    crash("ping", 20, 30),
    crash("driver", 30, 5),
    crash("driver", 32, 30),
    crash("ping", 35, 1),
    { kind: "stall", who: "driver", atMs: 40, forMs: 5 },
    { kind: "stall", who: "driver", atMs: 42, forMs: 10 },
    { kind: "stall", who: "ping", atMs: 60, forMs: 3 },
  ]);
  deepEqual(answers.slice(0, 2), [10, 10]);
  deepEqual(answers.slice(7), [10, 10, 10]);
});

Deno.test("hosts on one wire hear each other, and each has its own driver", async () => {
  const hosts = {
    a: { services: { ping: icmpEchoService } },
    b: { services, address: "10.77.0.9/24" },
    c: { services: { echo: udpEchoService } },
  };
  const faults: Fault[] = [{
    kind: "crash",
    who: "a/driver",
    atMs: 5,
    forMs: 5,
  }];
  const target = { target: 0x0a4d0009, pingIntervalUs: 1000 };
  using world = simulate({ hosts, faults, peer: target });
  await world.run({ forMs: 50 });
  world.check();
  equal(world.counters("peer")["arp-resolved"], 1);
  ok(world.counters("b/ping").echoed! >= 45);
  deepEqual([world.sent("a").length, world.sent("c").length], [0, 0]);
  ok(world.heard("c").length > world.heard("a").length);
});

/** A service that does `receive` with each frame for the echo port. */
function echoThat(receive: Core["receive"], wakeAt = NEVER) {
  return {
    ...udpEchoService,
    make: (): Core => ({ receive, wake() {}, wakeAt, counters: () => ({}) }),
  };
}

/** Checks a world in which a datagram comes to `echo`. */
async function checkWith(echo: SimulationOptions["services"] & object) {
  using world = simulate({
    services: { arp: arpService, ...echo },
    peer: { pingIntervalUs: Infinity, noisePercent: 0 },
  });
  await world.run({ forMs: 1000 });
  world.check();
}

Deno.test("check() finds a core that throws, and the world goes on", async () => {
  const echo = echoThat(() => {
    throw new Error("ouch");
  });
  await rejects(
    checkWith({ echo }),
    /echo: its core threw: ouch\nthe last events:\n/,
  );
});

Deno.test("check() finds a reply that is longer than its frame may be", async () => {
  const echo = echoThat((frame: Frame) => {
    frame.length = frame.capacity + 1;
    return "reply";
  });
  await rejects(checkWith({ echo }), /echo: \d+ refused: malformed-frame/);
});

Deno.test("check() finds frames that a service may not send", async () => {
  const echo = echoThat(() => "reply");
  await rejects(
    checkWith({ echo }),
    /echo: \d+ frames were not sent, its capability does not permit them/,
  );
});

Deno.test("check() finds it still when the service has crashed since", async () => {
  const echo = echoThat(() => "reply");
  using world = simulate({
    services: { arp: arpService, echo },
    peer: {},
    faults: [{ kind: "crash", who: "echo", atMs: 50, forMs: 1 }],
  });
  await world.run({ forMs: 50.5 });
  throws(() => world.check(), /its capability does not permit them/);
});

Deno.test("two services that want the same packets are told", async () => {
  await rejects(
    checkWith({ echo: udpEchoService, again: udpEchoService }),
    /again: its capability was refused: .*overlap/,
  );
});

Deno.test("a core whose wakeAt never moves on is found, not waited for", async () => {
  const echo = echoThat(() => "handled", 0);
  await rejects(checkWith({ echo }), /does a core's wakeAt stay at a time/);
});

Deno.test("what a world is asked is checked", async () => {
  throws(() => simulate({}), /either services or hosts/);
  throws(() => simulate({ services, latencyUs: 0 }), /latencyUs is 0/);
  throws(
    () => simulate({ services, links: { hots: {} } }),
    /links: one of "hots"; there are host, test/,
  );
  throws(() => simulate({ services }).dropped("peer"), /one of "peer"/);
  for (const name of ["bitsPerSecond", "delayUs"]) {
    for (const value of [0, -1, NaN]) {
      throws(
        () => simulate({ services, link: { [name]: value } }),
        new RegExp(`${name} is ${value}; it must be above 0`),
      );
    }
  }
  throws(
    () => simulate({ services, link: { queueBytes: -1 } }),
    /queueBytes is -1/,
  );
  const wrong: Fault = { kind: "crash", who: "ehco", atMs: 1, forMs: 1 };
  throws(
    () => simulate({ services, faults: [wrong] }),
    /a crash of "ehco"; there are arp, ping, echo, driver/,
  );
  throws(
    () =>
      simulate({
        services,
        faults: [{ kind: "loss", from: "peer", frame: 0 }],
      }),
    /a loss of "peer"; there are host, test/,
  );
  throws(
    () => simulate({ services, faults: { rates: { loss: 2 } } }),
    /loss is 2; a rate goes from 0/,
  );
  throws(
    () => simulate({ services, faults: { crashesPerSecond: 1 } }),
    /need untilMs/,
  );
  const hosts = { a: { services, address: "10.77.0.0/24" } };
  throws(() => simulate({ hosts }), /the address of a is "10\.77\.0\.0\/24"/);
  using world = simulate({ services });
  throws(() => world.counters("nobody"), /nobody is called "nobody"/);
  const running = world.run({ forMs: 1 });
  await rejects(world.run({ forMs: 1 }), /await run\(\)/);
  await running;
  world[Symbol.dispose]();
  await rejects(world.run({ forMs: 1 }), /it is over/);
});

Deno.test("a trace says when, who and what", async () => {
  const { text } = await live({ services, peer: {} }, 1);
  match(text, /^ {6}0\.000 driver {7}is up\n {6}0\.000 arp {10}runs\n/);
  match(
    text,
    /\n {6}0\.000 peer {9}sends #0 ARP, Request who-has 10\.77\.0\.2 .* \[[0-9a-f]{8}\]\n {6}0\.050 host {9}hears peer #0 ARP/,
  );
});
