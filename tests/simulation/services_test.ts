/** Our own services in a world where everything goes wrong: they answer what was asked and nothing else, lose no page, and are there again afterwards. */

import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { arpService } from "../../services/arp/service.ts";
import { icmpEchoService } from "../../services/icmp-echo/service.ts";
import { udpEchoService } from "../../services/udp-echo/service.ts";
import { ARP_REQUEST } from "../../services/wire/arp.ts";
import { ETHERTYPE_ARP, ETHERTYPE_IPV4 } from "../../services/wire/ethernet.ts";
import { PROTOCOL_ICMP, PROTOCOL_UDP } from "../../services/wire/ipv4.ts";
import { faultSchedule } from "../arbitraries/faults.ts";
import {
  anyFrame,
  buildArp,
  buildIcmp,
  buildUdp,
  type FrameBytes,
} from "../arbitraries/frames.ts";
import { testProperty } from "../property.ts";
import { answerIn, answerTo, unasked } from "./answers.ts";
import type { FaultPlan } from "./faults.ts";
import { nameFrame } from "./trace.ts";
import { simulate, type World } from "./world.ts";

const file = import.meta.url;

/** The host, by its defaults, and a neighbour that asks it. */
const HOST = {
  mac: Uint8Array.of(2, 0x53, 10, 77, 0, 2),
  address: 0x0a4d0002,
};
const NEIGHBOUR = {
  mac: Uint8Array.of(2, 0, 0, 0, 0, 9),
  address: 0x0a4d0009,
};

const toHost = (etherType: number) => ({
  destination: HOST.mac,
  source: NEIGHBOUR.mac,
  tags: [],
  etherType,
});
const ipv4ToHost = (protocol: number) => ({
  dscp: 0,
  ecn: 0,
  identification: 0,
  dontFragment: true,
  moreFragments: false,
  fragmentOffset: 0,
  ttl: 64,
  protocol,
  source: NEIGHBOUR.address,
  destination: HOST.address,
  options: new Uint8Array(0),
  payloadBytes: 0,
});

/** One question for each service, none of which the peer would ask. */
const QUESTIONS: readonly FrameBytes[] = [
  buildArp(toHost(ETHERTYPE_ARP), {
    operation: ARP_REQUEST,
    senderMac: NEIGHBOUR.mac,
    senderAddress: NEIGHBOUR.address,
    targetMac: new Uint8Array(6),
    targetAddress: HOST.address,
  }),
  buildIcmp(toHost(ETHERTYPE_IPV4), ipv4ToHost(PROTOCOL_ICMP), {
    kind: "echo-request",
    identifier: 1,
    sequence: 2,
    payload: new Uint8Array(900).fill(3),
  }),
  buildUdp(toHost(ETHERTYPE_IPV4), ipv4ToHost(PROTOCOL_UDP), {
    sourcePort: 5000,
    destinationPort: 7,
    checksummed: true,
    payload: new Uint8Array(300).fill(4),
  }),
];

/** When the last fault begins, and when all of them are over. */
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

interface Case {
  readonly seed: number;
  readonly faults: FaultPlan;
  readonly copyBytesMax: number;
  readonly noise: readonly FrameBytes[];
}

const anyCase: fc.Arbitrary<Case> = fc.record({
  seed: fc.nat(),
  faults: plan,
  copyBytesMax: fc.constantFrom(0, 200, 2048),
  noise: fc.array(anyFrame(), { maxLength: 20 }),
});

function worldOf({ seed, faults, copyBytesMax, noise }: Case): World {
  const world = simulate({
    seed,
    faults,
    services: {
      arp: { ...arpService, copyBytesMax },
      ping: { ...icmpEchoService, copyBytesMax },
      echo: { ...udpEchoService, copyBytesMax },
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
  const pong = buildIcmp(
    { ...toHost(ETHERTYPE_IPV4), source: HOST.mac, destination: NEIGHBOUR.mac },
    {
      ...ipv4ToHost(PROTOCOL_ICMP),
      source: HOST.address,
      destination: NEIGHBOUR.address,
    },
    {
      kind: "echo-reply",
      identifier: 1,
      sequence: 2,
      payload: new Uint8Array(900).fill(3),
    },
  );
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
