/** Our own services in a world where everything goes wrong: they answer what was asked and nothing else, lose no page, and are there again afterwards. */

import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { given } from "../../caps/kernel/given.ts";
import { arpService } from "../../services/arp/service.ts";
import { icmpEchoService } from "../../services/icmp-echo/service.ts";
import { udpEchoService } from "../../services/udp-echo/service.ts";
import { ICMP_ECHO_REPLY } from "../../services/wire/icmp.ts";
import { faultSchedule } from "../arbitraries/faults.ts";
import { anyFrame, type FrameBytes } from "../arbitraries/frames.ts";
import { PLACES, type ServicePlace } from "../../services/manifest/place.ts";
import { testProperty } from "../property.ts";
import { answerIn, answerTo, unasked } from "./answers.ts";
import type { FaultPlan } from "./faults.ts";
import { Neighbour } from "./neighbour.ts";
import { nameFrame } from "./trace.ts";
import { simulate, type World } from "./world.ts";

const file = import.meta.url;

/** One question for each service, none of which the peer would ask. */
const neighbour = new Neighbour();
const QUESTIONS: readonly FrameBytes[] = [
  neighbour.arp(),
  neighbour.ping(new Uint8Array(900).fill(3), 2),
  neighbour.datagram(7, new Uint8Array(300).fill(4)),
];

/** When the last fault begins, and when all of them have ended. */
const FAULTS_MS = 60;
const CALM_MS = 120;

const rate = fc.constantFrom(0, 0, 0.05, 0.3);
const plan: fc.Arbitrary<FaultPlan> = fc.record({
  schedule: faultSchedule({
    stations: ["host", "peer"],
    parties: ["arp", "ping", "echo", "driver"],
    withinMs: FAULTS_MS,
  }),
  rates: fc.record({
    loss: rate,
    duplication: rate,
    reordering: rate,
    corruption: rate,
    truncation: rate,
  }),
  crashesPerSecond: fc.constantFrom(0, 0, 20),
  stallsPerSecond: fc.constantFrom(0, 0, 20),
  untilMs: fc.constant(FAULTS_MS),
});

const anyPlace = fc.constantFrom(...PLACES);

interface Case {
  readonly seed: number;
  readonly faults: FaultPlan;
  readonly copyBytesMax: number;
  /** Where `arp`, `ping` and `echo` run. */
  readonly places: readonly ServicePlace[];
  readonly noise: readonly FrameBytes[];
}

const anyCase: fc.Arbitrary<Case> = fc.record({
  seed: fc.nat(),
  faults: plan,
  copyBytesMax: fc.constantFrom(0, 200, 2048),
  places: fc.tuple(anyPlace, anyPlace, anyPlace),
  noise: fc.array(anyFrame(), { maxLength: 20 }),
});

function worldOf({ seed, faults, copyBytesMax, places, noise }: Case): World {
  const [arp, ping, echo] = places;
  const world = simulate({
    seed,
    faults,
    services: {
      arp: { ...arpService, copyBytesMax, ...given({ place: arp }) },
      ping: { ...icmpEchoService, copyBytesMax, ...given({ place: ping }) },
      echo: { ...udpEchoService, copyBytesMax, ...given({ place: echo }) },
    },
    peer: { pingIntervalUs: 3000, udpIntervalUs: 2000 },
  });
  noise.filter(({ length }) => length > 0)
    .forEach((frame, i) => world.send(frame, i * 3));
  return world;
}

testProperty(
  "whatever the wire does and whatever crashes, no answer goes out that no question asked for, every answer is right, and no page is lost",
  { runs: 70, file },
  fc.asyncProperty(anyCase, async (drawn) => {
    using world = worldOf(drawn);
    for (let i = 0; i < 4; i++) {
      await world.run({ forMs: CALM_MS / 4 });
      world.check();
    }
    const wrong = unasked(world.heard("host"), world.sent("host"));
    deepEqual(wrong.map(({ bytes }) => nameFrame(bytes)), []);
    const { total, free, quarantined } = world.pages()!;
    equal(free + quarantined, total);
  }),
);

testProperty(
  "once the faults stop, every question is answered, once",
  { runs: 40, file },
  fc.asyncProperty(anyCase, async (drawn) => {
    using world = worldOf(drawn);
    await world.run({ forMs: CALM_MS });
    const before = world.sent("host").length;
    for (const question of QUESTIONS) world.send(question);
    await world.run({ forMs: 20 });
    world.check();
    const answers = world.sent("host").slice(before)
      .map(({ bytes }) => answerIn(bytes));
    for (const question of QUESTIONS) {
      const wanted = answerTo(question);
      ok(wanted !== undefined);
      equal(answers.filter((answer) => answer === wanted).length, 1, wanted);
    }
  }),
);

Deno.test("an answer that nobody asked for, a second one and a wrong one are found", () => {
  const at = (bytes: Uint8Array<ArrayBuffer>, atUs: number) => ({
    atUs,
    station: "host",
    bytes,
  });
  const [, ping] = QUESTIONS;
  // What its answer says: addresses and the type change, and one checksum.
  const pong = ping!.slice();
  pong.set(ping!.subarray(6, 12), 0);
  pong.set(ping!.subarray(0, 6), 6);
  pong.set(ping!.subarray(30, 34), 26);
  pong.set(ping!.subarray(26, 30), 30);
  pong[34] = ICMP_ECHO_REPLY;
  pong[36] = ping![36]! + 8;
  const wrong = pong.slice();
  wrong[100]! ^= 1;
  const count = (heard: number[], sent: [Uint8Array<ArrayBuffer>, number][]) =>
    unasked(
      heard.map((atUs) => at(ping!, atUs)),
      sent.map(([bytes, atUs]) => at(bytes, atUs)),
    ).length;
  equal(count([5], [[pong, 5]]), 0);
  equal(count([5, 6], [[pong, 6], [pong, 6]]), 0);
  equal(count([5], [[pong, 5], [pong, 6]]), 1);
  equal(count([5], [[pong, 4]]), 1);
  equal(count([5], [[wrong, 5]]), 1);
  equal(count([5], [[ping!, 5]]), 1);
});
