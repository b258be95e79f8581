/** Services of a simulated host that ask each other, while they stall, crash and start again. */

import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import type { Core } from "../../services/core/core.ts";
import { u16 } from "../../services/ports/fields.ts";
import { portInterface } from "../../services/ports/interface.ts";
import { type Instant, NEVER } from "../../services/runtime/clock.ts";
import { udpEchoService } from "../../services/udp-echo/service.ts";
import { faultSchedule } from "../arbitraries/faults.ts";
import { testProperty } from "../property.ts";
import type { Fault } from "./faults.ts";
import type { SimulatedService } from "./service.ts";
import { formatTrace } from "./trace.ts";
import { simulate, type World } from "./world.ts";

const NUMBERS = portInterface({
  name: "numbers",
  request: u16,
  answer: u16,
  push: u16,
});

/** What a core does besides nothing. */
function coreThat(does: Partial<Core>): Core {
  const idle: Core = {
    wakeAt: NEVER,
    wake() {},
    receive: () => "handled",
    counters: () => ({}),
  };
  // Not by spreading: `wakeAt` is a getter.
  return Object.defineProperties(idle, Object.getOwnPropertyDescriptors(does));
}

/** What one asker has seen, in all its lives. */
interface Seen {
  asked: number;
  right: number;
  none: number;
  wrong: number;
  /** Requests that ended twice. */
  twice: number;
  pushes: number;
}

/** Asks each millisecond, at UDP port `port`, which is only there to have one. */
function asker(port: number, seen: Seen, name = "numbers"): SimulatedService {
  return {
    ...udpEchoService,
    port,
    ports: { [name]: "answerer" },
    make(_settings, ports) {
      let wakeAt = 0;
      const end = ports.ask("numbers", NUMBERS, {
        onPush: () => void seen.pushes++,
      });
      const ask = (value: number) => {
        let isAnswered = false;
        const isAsked = end.ask(value, (answer) => {
          if (isAnswered) seen.twice++;
          isAnswered = true;
          if (answer === undefined) seen.none++;
          else if (answer === value + 1) seen.right++;
          else seen.wrong++;
        });
        if (isAsked) seen.asked++;
      };
      return coreThat({
        get wakeAt() {
          return wakeAt;
        },
        wake(now: Instant) {
          wakeAt = now + 1000;
          ask(seen.asked % 1000);
        },
      });
    },
  };
}

/** Answers each third request at once, each third a little later, and each third never. */
const answerer: SimulatedService = {
  ...udpEchoService,
  port: 9,
  make(_settings, ports) {
    let [wakeAt, count] = [NEVER as Instant, 0];
    const later: [id: number, value: number][] = [];
    const end = ports.answer(NUMBERS, {
      onRequest({ request, id }, now) {
        if (count++ % 3 === 0) return request + 1;
        if (count % 3 === 0) return "later";
        later.push([id, request]);
        wakeAt = now + 3000;
        return "later";
      },
    });
    return coreThat({
      get wakeAt() {
        return wakeAt;
      },
      wake() {
        wakeAt = NEVER;
        for (const [id, value] of later.splice(0)) end.answer(id, value + 1);
        end.push(count & 0xffff);
      },
    });
  },
};

function none(): Seen {
  return { asked: 0, right: 0, none: 0, wrong: 0, twice: 0, pushes: 0 };
}

const FAULTS_MS = 60;

/** A world with two askers, for so long; where `called`, one of them and the answerer are in the driver's thread. */
async function live(
  faults: readonly Fault[],
  forMs: number,
  called: boolean,
): Promise<{ readonly world: World; readonly seen: readonly Seen[] }> {
  const seen = [none(), none()];
  const place = called ? "driver" : "worker";
  const world = simulate({
    services: {
      answerer: { ...answerer, place },
      a: { ...asker(1, seen[0]!), place },
      c: asker(2, seen[1]!),
    },
    faults,
  });
  await world.run({ forMs });
  return { world, seen };
}

testProperty(
  "whoever stalls or crashes, each request ends at most once and rightly, nobody is blamed, and all goes on",
  { runs: 60, file: import.meta.url },
  fc.asyncProperty(
    faultSchedule({
      stations: ["host"],
      parties: ["a", "c", "answerer", "driver"],
      withinMs: FAULTS_MS,
    }),
    fc.boolean(),
    async (faults, called) => {
      const { world, seen } = await live(faults, FAULTS_MS + 100, called);
      using _ = world;
      world.check();
      const before = seen.map(({ right }) => right);
      // What is never answered takes its places until then.
      await world.run({ forMs: 6000 });
      world.check();
      seen.forEach(({ asked, right, none, wrong, twice }, i) => {
        deepEqual({ wrong, twice }, { wrong: 0, twice: 0 });
        ok(right + none <= asked);
        ok(right > before[i]!, "it goes on");
      });
      ok(seen.every(({ pushes }) => pushes > 0));
    },
  ),
);

testProperty(
  "the same faults give the same trace, ports included",
  { runs: 10, file: import.meta.url },
  fc.asyncProperty(
    faultSchedule({
      stations: ["host"],
      parties: ["a", "answerer"],
      withinMs: FAULTS_MS,
    }),
    fc.boolean(),
    async (faults, called) => {
      const one = await live(faults, 80, called);
      const two = await live(faults, 80, called);
      using _one = one.world;
      using _two = two.world;
      equal(formatTrace(one.world.trace), formatTrace(two.world.trace));
      deepEqual(one.seen, two.seen);
      deepEqual(one.world.ports("a"), two.world.ports("a"));
    },
  ),
);

Deno.test("a port that a service has not opened is found by the check", async () => {
  using world = simulate({
    services: { answerer, a: asker(1, none(), "number") },
  });
  await world.run({ forMs: 1 });
  throws(
    () => world.check(),
    /a: the manifest gives it a port "number", and it has opened "numbers"/,
  );
});
