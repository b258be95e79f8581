/** A core does the same in a worker and in the driver's thread, to the byte. */

import { deepEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import type { Core, Frame, Outbox } from "../../services/core/core.ts";
import type { Instant } from "../../services/runtime/clock.ts";
import { arpService } from "../../services/arp/service.ts";
import { icmpEchoService } from "../../services/icmp-echo/service.ts";
import { udpEchoService } from "../../services/udp-echo/service.ts";
import { anyFrame, type FrameBytes } from "../arbitraries/frames.ts";
import type { ServicePlace } from "../../services/manifest/place.ts";
import { testProperty } from "../property.ts";
import { Neighbour } from "./neighbour.ts";
import type { SimulatedService } from "./service.ts";
import { simulate } from "./world.ts";

const file = import.meta.url;

/**
 * Answers every third datagram in place, sends every third again with what it
 * counts, and adds a copy of the last one at the end of a batch, and two ms later.
 */
class Repeater implements Core {
  wakeAt: Instant = Infinity;
  #last: Uint8Array | undefined;
  #count = 0;
  #sent = 0;

  receive(frame: Frame, now: Instant, out: Outbox) {
    const { bytes, start, length } = frame;
    turn(bytes, start);
    this.#last = bytes.slice(start, start + length);
    this.wakeAt = now + 2000;
    switch (this.#count++ % 3) {
      case 0:
        return "reply" as const;
      case 1:
        this.#send(out);
        return "handled" as const;
      default:
        return "drop:third" as const;
    }
  }

  endOfBatch(_now: Instant, out: Outbox): void {
    this.#send(out);
  }

  wake(_now: Instant, out: Outbox): void {
    this.wakeAt = Infinity;
    this.#send(out);
  }

  #send(out: Outbox): void {
    const last = this.#last!;
    const frame = out.open(last.length)!;
    frame.bytes.set(last, frame.start);
    frame.length = last.length;
    out.send();
    this.#sent++;
  }

  counters() {
    return { received: this.#count, sent: this.#sent };
  }
}

/** Turns the addresses and ports of a datagram round. */
function turn(bytes: Uint8Array, start: number): void {
  for (const [at, size] of [[0, 6], [26, 4], [34, 2]] as const) {
    const one = bytes.slice(start + at, start + at + size);
    bytes.copyWithin(start + at, start + at + size, start + at + 2 * size);
    bytes.set(one, start + at + size);
  }
}

const repeater: SimulatedService = {
  ...udpEchoService,
  port: 9,
  quotaPages: 64,
  make: () => new Repeater(),
};

const neighbour = new Neighbour();

const arrivals: fc.Arbitrary<readonly FrameBytes[]> = fc.array(
  fc.oneof(
    fc.nat(400).map((size) => neighbour.datagram(9, new Uint8Array(size))),
    fc.nat(400).map((size) => neighbour.datagram(7, new Uint8Array(size))),
    fc.constant(neighbour.ping(new Uint8Array(900).fill(3), 2)),
    anyFrame().filter(({ length }) => length > 0),
  ),
  { maxLength: 20 },
);

/** What is sent and counted where the services are in `place`. */
async function live(
  place: ServicePlace,
  seed: number,
  bursts: readonly (readonly FrameBytes[])[],
) {
  const services = {
    arp: { ...arpService, place },
    ping: { ...icmpEchoService, place },
    echo: { ...udpEchoService, place },
    repeater: { ...repeater, place },
  };
  using world = simulate({
    seed,
    services,
    peer: { pingIntervalUs: 3000, udpIntervalUs: 2000 },
  });
  bursts.forEach((frames, i) => {
    for (const frame of frames) world.send(frame, 5 * i);
  });
  await world.run({ forMs: 60 });
  world.check();
  return {
    sent: world.sent("host").map(({ bytes, atUs }) =>
      `${atUs} ${bytes.toHex()}`
    )
      .sort(),
    counters: Object.keys(services).map((name) => world.counters(name)),
    driver: world.counters("driver"),
    pages: world.pages(),
  };
}

testProperty(
  "the same seed and the same events: in a worker, in a process and in the driver's thread a core sends the same frames, at the same times, and counts the same",
  { runs: 40, file },
  fc.asyncProperty(
    fc.nat(),
    fc.array(arrivals, { maxLength: 8 }),
    async (seed, bursts) => {
      const inWorker = await live("worker", seed, bursts);
      const called = await live("driver", seed, bursts);
      deepEqual(called, inWorker);
      deepEqual(await live("process", seed, bursts), inWorker);
      ok(called.sent.length > 0);
    },
  ),
);
