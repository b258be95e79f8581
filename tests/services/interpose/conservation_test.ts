/** Pages come back whatever is interposed, whatever the holder does, and if it dies. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { PAGE_BYTES } from "../../../caps/memory/memory.ts";
import type { Port } from "../../../caps/port/port.ts";
import {
  type Delivery,
  INLINE_BYTES_MAX,
  type Submission,
} from "../../../caps/port/records.ts";
import { count } from "../../../services/interpose/count.ts";
import { delay } from "../../../services/interpose/delay.ts";
import { drop } from "../../../services/interpose/drop.ts";
import { interpose } from "../../../services/interpose/interpose.ts";
import type { Interposer } from "../../../services/interpose/interposer.ts";
import type { InterposedPort } from "../../../services/interpose/layer.ts";
import { witness } from "../../arbitraries/witness.ts";
import { rewrite } from "../../../services/interpose/rewrite.ts";
import {
  echo,
  extentPlans,
  frames,
  plans,
  superFrames,
} from "../../drivers/service/plans.ts";
import {
  type HolderPlan,
  Rig,
  SUPER_BYTES_MAX,
} from "../../drivers/service/rig.ts";
import { testProperty } from "../../property.ts";
import { type Act, anyActs, Holder, honestActs } from "./holders.ts";
import { VirtualTime } from "../../simulation/virtual_time.ts";
import { passTime } from "./pass_time.ts";

const file = import.meta.url;

const seed = fc.nat(1000);
const makers: fc.Arbitrary<() => Interposer> = fc.oneof(
  fc.constant(() => count()),
  fc.record({ probability: fc.constantFrom(0.2, 0.7, 1), seed })
    .map((options) => () => drop(options)),
  fc.record({ delayMs: fc.nat(5), jitterMs: fc.nat(5), seed })
    .map((options) => () => delay(options)),
  // Shorter, longer, moved; at times beyond its room.
  fc.nat(255).map((salt) => () =>
    rewrite((frame) => {
      frame.length += frame.bytes[frame.start]! % 5 - 2;
      frame.start += frame.bytes[frame.start + 5]! % 3 - 1;
      if (frame.bytes[frame.start + 6] === salt) throw new Error("no");
    })
  ),
);
const chains = fc.array(makers, { minLength: 1, maxLength: 4 });

type Step =
  | { readonly kind: "frame"; readonly frame: Uint8Array<ArrayBuffer> }
  | { readonly kind: "act"; readonly holder: number; readonly act: Act }
  | { readonly kind: "pass"; readonly us: number };

const holder = fc.nat({ max: plans.length - 1 });

function stepsOf(
  act: fc.Arbitrary<Act>,
  frames: fc.Arbitrary<Uint8Array<ArrayBuffer>>,
): fc.Arbitrary<Step[]> {
  return fc.array(
    fc.oneof<fc.MaybeWeightedArbitrary<Step>[]>(
      {
        weight: 5,
        arbitrary: fc.record({ kind: fc.constant("frame"), frame: frames }),
      },
      {
        weight: 5,
        arbitrary: fc.record({ kind: fc.constant("act"), holder, act }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant("pass"), us: fc.nat(4000) }),
      },
    ),
    { maxLength: 60 },
  );
}

/** What arrives at a rig, and how that is made. */
interface Traffic {
  readonly name: string;
  readonly frames: fc.Arbitrary<Uint8Array<ArrayBuffer>>;
  readonly plans: readonly HolderPlan[];
  readonly makeRig: () => Rig;
}

const TRAFFIC: readonly Traffic[] = [
  { name: "pages", frames, plans, makeRig: () => new Rig(plans, 32) },
  {
    name: "extents",
    frames: superFrames,
    plans: extentPlans,
    makeRig: () =>
      new Rig(extentPlans, 64, 1, { extents: 16, superPackets: true }),
  },
];

/** A rig whose holders have interposers before them. */
class World implements Disposable {
  readonly rig: Rig;
  readonly time = new VirtualTime();
  readonly ports: InterposedPort[] = [];
  readonly holders: Holder[];

  constructor(chain: readonly (() => Interposer)[], makeRig: () => Rig) {
    this.rig = makeRig();
    this.holders = this.rig.holders.map(({ port, capability }) => {
      const real = port as Port<Submission, Delivery>;
      const interposers = chain.map((make) => make());
      const makeClock = () => this.time.makeClock();
      const posed = interpose(real, interposers, { makeClock });
      this.ports.push(posed);
      return new Holder(posed, capability);
    });
  }

  run(steps: readonly Step[]): void {
    for (const step of steps) {
      if (step.kind === "frame") {
        this.rig.far.send(step.frame, 0, step.frame.length);
      } else if (step.kind === "act") {
        this.holders[step.holder]!.act(step.act);
      } else passTime(this.time, step.us);
      this.look();
    }
  }

  look(): void {
    this.rig.turn(); // proves that pages are conserved, each time
    for (const holder of this.holders) holder.take();
    this.rig.turn();
  }

  refused(): readonly string[] {
    return this.rig.service.counts().refusals
      .flatMap(({ refusals }) => Object.keys(refusals));
  }

  [Symbol.dispose](): void {
    this.rig[Symbol.dispose]();
  }
}

for (const { name, frames, plans, makeRig } of TRAFFIC) {
  testProperty(
    `an honest holder's ${name} and byte strings all come back in time, and the driver refuses nothing of what goes between`,
    { runs: 100, file },
    fc.property(chains, stepsOf(honestActs, frames), (chain, steps) => {
      using world = new World(chain, makeRig);
      world.run(steps);
      for (let i = 0; i < 8; i++) {
        for (const holder of world.holders) holder.settle();
        passTime(world.time, 20_000);
        world.look();
      }
      for (const holder of world.holders) holder.settle();
      world.look();
      assert.ok(world.time.nextAt === Infinity, "something is held still");
      const { pages } = world.rig.service.counts();
      assert.deepEqual([pages.lent, pages.quarantined], [0, 0]);
      assert.ok(world.rig.service.quiet, "every byte string has come back");
      for (const { ownStrings } of world.holders) {
        assert.equal(
          ownStrings,
          0,
          "a holder's own come back too, and no others",
        );
      }
      assert.deepEqual(world.refused(), []);
    }),
  );

  testProperty(
    `whatever a holder does, no page of ${name} is lost, and what it has not been given comes back when it dies`,
    { runs: 100, file },
    fc.property(
      chains,
      stepsOf(anyActs, frames),
      holder,
      (chain, steps, victim) => {
        using world = new World(chain, makeRig);
        world.run(steps);
        const { port, kept } = world.holders[victim]!;
        world.rig.turn();
        // A holder that is dead takes nothing more: what it has is what it had taken.
        const had = new Set(kept.flatMap(({ pages }) => pages));
        world.ports[victim]!.giveBack();
        world.rig.service.detach(victim + 1);
        world.rig.turn();
        const { quarantined } = world.rig.service.counts().pages;
        if (!rogue(steps, victim)) assert.equal(quarantined, pagesOf(had));
        assert.ok(quarantined <= plans[victim]!.quotaPages);
        port[Symbol.dispose]();
      },
    ),
  );
}

Deno.test("a super-packet that no byte string holds is not held on its way out: it is dropped and counted", () => {
  const MOST = INLINE_BYTES_MAX;
  const slow = delay({ delayMs: 1 });
  using world = new World([() => slow], TRAFFIC[1]!.makeRig);
  const request = witness(echo.receives[0]!);
  for (const length of [MOST, MOST + 1, SUPER_BYTES_MAX]) {
    const frame = new Uint8Array(length);
    frame.set(request);
    world.rig.far.send(frame, 0, length);
    world.look();
    passTime(world.time, 1000);
    world.look();
    world.holders[0]!.act({ does: "answer", noise: 0, frame });
    passTime(world.time, 1000);
    world.look();
  }
  assert.deepEqual(slow.tally.snapshot(), { "delayed": 6, "too-large": 2 });
});

/** The pages that buffers are. */
function pagesOf(buffers: Iterable<ArrayBuffer>): number {
  return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0) /
    PAGE_BYTES;
}

/** Whether a holder did something that loses it pages. */
function rogue(steps: readonly Step[], holder: number): boolean {
  const honest = ["return", "answer", "keep", "send", "garbage"];
  return steps.some((step) =>
    step.kind === "act" && step.holder === holder &&
    !honest.includes(step.act.does)
  );
}
