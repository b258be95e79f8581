/** A holder cannot tell an interposed capability from the real one. */

import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { fromMessagePort, type Port } from "../../../caps/port/port.ts";
import type { Delivery, Submission } from "../../../caps/port/records.ts";
import { takeNow } from "../../../drivers/service/start.ts";
import { count } from "../../../services/interpose/count.ts";
import { delay } from "../../../services/interpose/delay.ts";
import { drop } from "../../../services/interpose/drop.ts";
import { interpose } from "../../../services/interpose/interpose.ts";
import type { Interposer } from "../../../services/interpose/interposer.ts";
import { log } from "../../../services/interpose/log.ts";
import { Relay } from "../../../services/interpose/relay.ts";
import { rewrite } from "../../../services/interpose/rewrite.ts";
import {
  extentPlans,
  frames,
  plans,
  superFrames,
} from "../../drivers/service/plans.ts";
import { Rig } from "../../drivers/service/rig.ts";
import { testProperty } from "../../property.ts";
import { type Act, anyActs, Holder } from "./holders.ts";
import { VirtualTime } from "../../simulation/virtual_time.ts";

const file = import.meta.url;

/** All of them, none of which does anything to a frame. */
function passing(): Interposer[] {
  return [
    count(),
    delay({ delayMs: 0 }),
    drop({ probability: 0 }),
    rewrite(() => {}),
    log({ write: () => true, flush() {} }),
  ];
}

type Step =
  | { readonly kind: "frame"; readonly frame: Uint8Array<ArrayBuffer> }
  | { readonly kind: "act"; readonly holder: number; readonly act: Act }
  | { readonly kind: "revoke" | "detach"; readonly holder: number };

const holder = fc.nat({ max: plans.length - 1 });
const stepsOf = (
  frames: fc.Arbitrary<Uint8Array<ArrayBuffer>>,
): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constant("frame" as const),
          frame: frames,
        }),
      },
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constant("act" as const),
          holder,
          act: anyActs,
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constantFrom("revoke" as const, "detach" as const),
          holder,
        }),
      },
    ),
    { maxLength: 60 },
  );

type Wrap = (
  port: Port<Submission, Delivery>,
) => Port<Submission, Delivery>;

/** What arrives, and the rig that it arrives at. */
const TRAFFIC = {
  pages: { steps: stepsOf(frames), makeRig: () => new Rig(plans, 32) },
  extents: {
    steps: stepsOf(superFrames),
    makeRig: () =>
      new Rig(extentPlans, 64, 1, { extents: 16, superPackets: true }),
  },
};

/** A rig, and what its holders saw and its driver counted. */
class World implements Disposable {
  readonly rig: Rig;
  readonly holders: Holder[];
  readonly #gone = new Set<number>();

  constructor(makeRig: () => Rig, wrap: Wrap) {
    this.rig = makeRig();
    this.holders = this.rig.holders.map(({ port, capability }) =>
      new Holder(wrap(port as Port<Submission, Delivery>), capability)
    );
  }

  apply(step: Step): void {
    if (step.kind === "frame") {
      this.rig.far.send(step.frame, 0, step.frame.length);
    } else if (step.kind === "act") {
      this.holders[step.holder]!.act(step.act);
    } else if (!this.#gone.has(step.holder)) {
      this.#gone.add(step.holder);
      if (step.kind === "revoke") this.rig.revoke(step.holder + 1);
      else this.rig.service.detach(step.holder + 1);
    }
  }

  look(): void {
    this.rig.turn();
    for (const one of this.holders) one.take();
  }

  /** All that can be seen from either side. */
  seen(): unknown {
    return {
      traces: this.holders.map(({ trace }) => trace),
      counts: this.rig.service.counts(),
      sent: this.rig.sent(),
      cutOff: this.rig.cutOff,
    };
  }

  [Symbol.dispose](): void {
    this.rig[Symbol.dispose]();
  }
}

for (const [name, { steps, makeRig }] of Object.entries(TRAFFIC)) {
  testProperty(
    `a holder of ${name} sees the same, and the driver counts the same, with interposers that let everything pass, whatever the holder does`,
    { runs: 150, file },
    fc.property(steps, (steps) => {
      const time = new VirtualTime();
      const makeClock = () => time.makeClock();
      using bare = new World(makeRig, (port) => port);
      using posed = new World(
        makeRig,
        (port) => interpose(port, passing(), { makeClock }),
      );
      for (const step of steps) {
        for (const world of [bare, posed]) {
          world.apply(step);
          world.look();
        }
      }
      assert.deepEqual(posed.seen(), bare.seen());
    }),
  );

  testProperty(
    `and so it is for a holder of ${name} in another worker, behind a channel of its own`,
    { runs: 25, file },
    fc.asyncProperty(steps, (steps) => sameBehindRelay(steps, makeRig)),
  );
}

/** A holder behind a channel of its own sees what one without sees. */
async function sameBehindRelay(
  steps: readonly Step[],
  makeRig: () => Rig,
): Promise<void> {
  const relays: Relay[] = [];
  using bare = new World(makeRig, (port) => port);
  using posed = new World(makeRig, (port) => {
    const relay = new Relay(port, passing(), {
      takeNow,
      onFlood: () => assert.fail("the holder was cut off"),
    });
    relays.push(relay);
    return fromMessagePort(relay.holder, { takeNow });
  });
  for (const step of steps) {
    bare.apply(step);
    bare.look();
    posed.apply(step);
    // To the relay, to the driver, and back again.
    for (let i = 0; i < 3; i++) {
      posed.rig.turn();
      await setImmediate();
      posed.look();
    }
  }
  for (const world of [bare, posed]) {
    for (const { trace } of world.holders) strip(trace);
  }
  try {
    assert.deepEqual(posed.seen(), bare.seen());
  } finally {
    for (const relay of relays) relay[Symbol.dispose]();
    for (const { port } of posed.holders) port[Symbol.dispose]();
  }
}

/** Only a pipe knows that its other end is closed. */
function strip(trace: string[]): void {
  const kept = trace.filter((line) => !/^(posted|left): /.test(line));
  trace.splice(0, Infinity, ...kept);
}
