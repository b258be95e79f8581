/** Requests while rounds of installing are under way: what is answered is in force. */

import assert from "node:assert/strict";
import fc from "fast-check";
import type { Capability } from "../../../../caps/kernel/capability.ts";
import { RIGHT_DERIVE, RIGHT_RECEIVE } from "../../../../caps/kernel/rights.ts";
import { ipv4 } from "../../../../services/filter/grant/builder.ts";
import { testProperty } from "../../../property.ts";
import { VirtualClock } from "../../runtime/virtual_clock.ts";
import { Rig } from "./service_rig.ts";

/** Lets messages that are under way arrive, and be answered. */
async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

const HOLDERS = 3;
const LIFETIME_MS = 10;

type Step =
  | {
    readonly op: "derive";
    readonly from: number;
    readonly to: number;
    readonly expires: boolean;
  }
  | { readonly op: "revoke" | "drop"; readonly of: number }
  | { readonly op: "stall" | "go" | "expire" | "turn" };

/** A capability that was answered. */
interface Known {
  readonly capability: Capability;
  readonly holder: number;
  readonly parent: Known | undefined;
  /** Whether it was asked to end, or its time has come. */
  ending: boolean;
  /** How often what was derived from it was asked to end. */
  revocations: number;
}

/** How often what is derived from a capability was asked to end, by itself or with others. */
function revocationsOf(known: Known | undefined): number {
  return known === undefined
    ? 0
    : known.revocations + revocationsOf(known.parent);
}

function isEnding(known: Known): boolean {
  return known.ending ||
    (known.parent !== undefined && isEnding(known.parent));
}

class Game implements Disposable {
  readonly #clock = new VirtualClock();
  readonly #rig = new Rig(undefined, this.#clock);
  readonly #known: Known[] = [{
    capability: this.#rig.root,
    holder: 0,
    parent: undefined,
    ending: false,
    revocations: 0,
  }];
  readonly #expiring: Known[] = [];
  #pending: Promise<unknown>[] = [];
  readonly #wrong: string[] = [];
  #port = 1;

  play(step: Step): void {
    switch (step.op) {
      case "derive":
        return this.#derive(step.from, step.to, step.expires);
      case "revoke":
      case "drop":
        return this.#end(step.op, step.of);
      case "stall":
      case "go":
        return this.#rig.stall(step.op === "stall");
      case "expire":
        for (const known of this.#expiring) known.ending = true;
        return this.#clock.advance(2 * LIFETIME_MS);
    }
  }

  #pick(index: number): Known {
    return this.#known[index % this.#known.length]!;
  }

  #derive(from: number, to: number, expires: boolean): void {
    const parent = this.#pick(from);
    // Of the root's only, and for another only with the right to.
    const holder = parent.parent === undefined ? to % HOLDERS : parent.holder;
    const port = this.#port++;
    const revocations = revocationsOf(parent);
    const asked = this.#rig.clients[parent.holder]!.derive({
      from: parent.capability,
      grant: parent.parent === undefined
        ? ipv4().udp().dstPort(port).grant
        : ipv4().udp().srcPort(port).grant,
      rights: RIGHT_RECEIVE | RIGHT_DERIVE,
      quotaPages: 0,
      to: holder,
      ...(expires ? { lifetimeMs: LIFETIME_MS } : {}),
    }).then((capability) => {
      const known: Known = {
        capability,
        holder,
        parent,
        ending: false,
        revocations: 0,
      };
      this.#known.push(known);
      if (expires) this.#expiring.push(known);
      // It may have been ended before its answer came.
      if (expires || isEnding(known)) return;
      if (revocations !== revocationsOf(parent)) return;
      if (!this.#isLive(known)) this.#wrong.push("a new one is not open");
    }, () => {});
    this.#pending.push(asked);
  }

  #end(op: "revoke" | "drop", of: number): void {
    const known = this.#pick(of);
    const below = this.#known.filter((one) =>
      one !== known && this.#isBelow(one, known)
    );
    const ended = op === "drop" ? [known, ...below] : below;
    if (known.parent === undefined) return;
    for (const one of ended) one.ending = true;
    known.revocations++;
    this.#pending.push(
      this.#rig.clients[known.holder]!.end(op, known.capability).then(() => {
        if (ended.some((one) => this.#isLive(one))) {
          this.#wrong.push(`after ${op} something lives`);
        }
      }, () => {}),
    );
  }

  #isBelow(one: Known | undefined, above: Known): boolean {
    return one !== undefined &&
      (one === above || this.#isBelow(one.parent, above));
  }

  #isLive({ capability }: Known): boolean {
    return [...this.#rig.live.values()].includes(capability);
  }

  /** Everything that was asked is answered: the driver knows what lives, and nothing else. */
  async finish(): Promise<void> {
    this.#rig.stall(false);
    let answered = false;
    const all = Promise.all(this.#pending).then(() => void (answered = true));
    for (let round = 0; !answered; round++) {
      assert.ok(round < 1000, "no answer");
      // Presenters of void tags wait for theirs.
      for (const known of this.#expiring) known.ending = true;
      this.#clock.advance(LIFETIME_MS);
      await turns();
    }
    await all;
    await turns();
    assert.deepEqual(this.#wrong, []);
    const described = this.#rig.service.describe().map(({ slot }) => slot);
    assert.deepEqual(
      [...this.#rig.live.keys()].sort((a, b) => a - b),
      described.sort((a, b) => a - b),
    );
  }

  [Symbol.dispose](): void {
    this.#rig[Symbol.dispose]();
  }
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant("derive" as const),
      from: fc.nat(30),
      to: fc.nat(2),
      expires: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constantFrom("revoke" as const, "drop" as const),
      of: fc.nat(30),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constantFrom(
        "stall" as const,
        "go" as const,
        "expire" as const,
        "turn" as const,
        "turn" as const,
      ),
    }),
  },
);

testProperty(
  "what is answered is in force, and nothing revoked is opened, however requests and rounds of installing meet",
  { runs: 200, file: import.meta.url },
  fc.asyncProperty(
    fc.array(step, { minLength: 4, maxLength: 60 }),
    async (steps) => {
      using game = new Game();
      for (const step of steps) {
        game.play(step);
        if (step.op === "turn") {
          await turns(10);
        }
      }
      await game.finish();
    },
  ),
);

Deno.test("what is revoked while a round is under way is not opened in the next one", async () => {
  using rig = new Rig();
  const rights = RIGHT_RECEIVE | RIGHT_DERIVE;
  const [system, holder] = rig.clients;
  const udp = (port: number) => ipv4().udp().dstPort(port).grant;
  const asked = { rights, quotaPages: 0 };
  const own = await system!.derive({
    ...asked,
    from: rig.root,
    grant: udp(7),
    to: 1,
  });
  rig.stall(true);
  const first = system!.derive({ ...asked, from: rig.root, grant: udp(8) });
  await turns();
  // For the next round, since that one has begun.
  const second = holder!.derive({ ...asked, from: own, grant: udp(7) });
  await turns();
  const dropped = rig.service.detach(1);
  await turns();
  rig.stall(false);
  await Promise.all([first, dropped]);
  second.catch(() => {});
  await turns(200);
  assert.deepEqual([...rig.live.values()], [await first]);
});
