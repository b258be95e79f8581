/** Holders that are called in the driver's thread: whatever their code does, it costs nobody else a packet or a page. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { INLINE_BYTES_MAX } from "../../../caps/port/records.ts";
import { takeAll } from "../../../caps/port/port.ts";
import { NEVER } from "../../../services/runtime/clock.ts";
import type { Core, Frame, Outbox } from "../../../services/core/core.ts";
import { matches } from "../../../services/filter/tree/reference.ts";
import { testProperty } from "../../property.ts";
import { run, WITNESS } from "./cores.ts";
import { discard, echo, extentPlans, frames, superFrames } from "./plans.ts";
import { type HolderPlan, Rig, type TestHolder } from "./rig.ts";

const file = import.meta.url;

/** A number as a core with a mistake writes it. */
const wild = fc.oneof(
  fc.integer({ min: -70, max: 1600 }),
  fc.constantFrom(NaN, Infinity, -1, 2 ** 32, 2 ** 32 + 60, 0.5, 4096, 69000),
  fc.integer(),
);

/** What a core does when it is called. */
const acts = fc.oneof(
  fc.record({
    does: fc.constant("reply" as const),
    by: wild,
    length: wild,
    offload: fc.oneof(fc.constant(0), fc.nat(0xffffffff)),
  }),
  // What it may send, but somewhere else.
  fc.record({
    does: fc.constant("move" as const),
    by: fc.constantFrom(-4352, -4096, -300, -256, 100, 4000, 4096, 8192),
  }),
  fc.record({ does: fc.constant("echo" as const) }),
  fc.record({ does: fc.constant("handle" as const) }),
  fc.record({ does: fc.constant("point elsewhere" as const) }),
  fc.record({ does: fc.constant("throw" as const) }),
  fc.record({
    does: fc.constant("open" as const),
    sizeBytes: fc.oneof(
      wild,
      fc.constantFrom(60, 3840, 3841, INLINE_BYTES_MAX, INLINE_BYTES_MAX + 1),
    ),
    length: fc.oneof(fc.constant(undefined), wild),
    sends: fc.nat(2),
  }),
);

type Act = typeof acts extends fc.Arbitrary<infer T> ? T : never;

/** A core that does, call by call, what a list says. */
class WildCore implements Core {
  wakeAt = NEVER;
  readonly acts: Act[] = [];

  receive(frame: Frame, _now: number, out: Outbox) {
    return this.#act(frame, out);
  }

  endOfBatch(_now: number, out: Outbox): void {
    this.#act(undefined, out);
  }

  onRoom(_now: number, out: Outbox): void {
    this.#act(undefined, out);
  }

  wake(): void {}

  counters() {
    return {};
  }

  #act(frame: Frame | undefined, out: Outbox) {
    const act = this.acts.shift();
    if (act === undefined || act.does === "handle") return "handled" as const;
    if (act.does === "throw") throw new Error("boom");
    if (act.does === "open") {
      const opened = out.open(act.sizeBytes);
      if (opened !== undefined) {
        opened.bytes.set(WITNESS.subarray(0, opened.capacity), opened.start);
        opened.length = act.length ?? Math.min(60, opened.capacity);
      }
      // A core that sends what was refused, or sends twice, throws by that.
      for (let i = 0; i < act.sends; i++) out.send();
      return "drop:opened" as const;
    }
    if (frame === undefined) return "handled" as const;
    if (act.does === "echo") {
      frame.bytes.set(WITNESS.subarray(0, frame.length), frame.start);
    } else if (act.does === "move") {
      frame.start += act.by;
      frame.length = WITNESS.length;
      frame.bytes.set(WITNESS, frame.start);
    } else if (act.does === "reply") {
      frame.start += act.by;
      frame.length = act.length;
      frame.offload = act.offload;
    } else frame.bytes = new Uint8Array(9);
    return "reply" as const;
  }
}

/** Has `other` give back what it was delivered, and checks what must hold then. */
function checkAfter(rig: Rig, other: TestHolder): void {
  for (const frame of rig.sent()) {
    assert.ok(matches(echo.sends, frame, 0, frame.length));
  }
  for (const delivery of [...takeAll(other.port)]) {
    const records = emptied(delivery.records, delivery.count);
    other.port.post({ ...delivery, records }, [records]);
  }
  rig.turn();
  const { accounts, refusals, pages } = rig.service.counts();
  for (const { heldPages, quotaPages } of accounts) {
    assert.ok(heldPages >= 0 && heldPages <= quotaPages);
  }
  assert.equal(pages.lent, 0, "a page stays with a core that has returned");
  const ofOther = refusals.find(({ port }) => port === other.id)!;
  assert.deepEqual(ofOther.refusals, {});
}

/** What holds whatever the core of the first holder does. */
function keepsOthers(
  frames: fc.Arbitrary<Uint8Array<ArrayBuffer>>,
  makeRig: () => Rig,
): fc.IRawProperty<unknown> {
  const moves = fc.array(
    fc.oneof(
      {
        weight: 12,
        arbitrary: fc.record({
          frames: fc.array(frames),
          acts: fc.array(acts),
        }),
      },
      { weight: 1, arbitrary: fc.constantFrom("revoke", "detach", "again") },
    ),
    { maxLength: 12 },
  );
  return fc.property(moves, (moves) => {
    using rig = makeRig();
    const core = new WildCore();
    let { runner } = run(rig, core);
    const other = rig.holders[1]!;
    let expected = 0;
    let over = false;
    for (const move of moves) {
      if (move === "again") {
        runner[Symbol.dispose]();
        ({ runner } = run(rig, core));
      } else if (typeof move === "string") {
        if (over) continue;
        over = true;
        if (move === "revoke") rig.revoke(1);
        else rig.service.detach(1);
      } else {
        core.acts.push(...move.acts);
        for (const frame of move.frames) {
          const isOther = matches(discard.receives, frame, 0, frame.length);
          if (isOther && frame.length <= 1514) expected++;
          rig.far.send(frame, 0, frame.length);
          rig.turn();
        }
      }
      rig.turn();
      core.acts.length = 0;
      checkAfter(rig, other);
    }
    const ofOther = rig.service.counts().accounts
      .find(({ slot }) => slot === 2)!;
    const short = Object.values(ofOther.drops).reduce((a, b) => a + b, 0);
    assert.ok(ofOther.deliveredPackets + short >= expected);
    rig.turn();
    const { pages } = rig.service.counts();
    assert.equal(pages.free, pages.total, "a page is lost");
  });
}

/** Records of which none is to be sent. */
function emptied(records: ArrayBuffer, count: number): ArrayBuffer {
  const words = new Uint32Array(records);
  for (let i = 0; i < count; i++) words[i * 6] = 0;
  return records;
}

testProperty(
  "whatever a core in the driver's thread does, a throw at any call included: pages are conserved, the others get their packets, and only permitted frames go out",
  { runs: 150, file },
  keepsOthers(
    frames,
    () =>
      new Rig([{ ...echo, called: true }, { ...discard, copyBytesMax: 4096 }]),
  ),
);

testProperty(
  "and so it is where what it is shown lies in extents",
  { runs: 100, file },
  keepsOthers(superFrames, () => {
    const [echo, discard] = extentPlans as [HolderPlan, HolderPlan];
    const likeness = { extents: 16, superPackets: true };
    return new Rig([{ ...echo, called: true }, discard], 24, 1, likeness);
  }),
);
