import assert from "node:assert/strict";
import fc from "fast-check";
import { NO_FRAME, PageLedger } from "../../../caps/memory/page_ledger.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;
const FRAMES = 6;

type Place = "idle" | "ring" | "lent" | "in-flight" | "quarantined";

interface Model {
  readonly place: Place[];
  readonly slot: number[];
}

const frames = fc.integer({ min: 0, max: FRAMES - 1 });
const slots = fc.integer({ min: 1, max: 3 });
const moves = [
  "lend",
  "takeBack",
  "send",
  "sent",
  "quarantine",
  "takeIdle",
  "putIdle",
] as const;
const schedule = fc.array(fc.tuple(fc.constantFrom(...moves), frames, slots), {
  maxLength: 100,
});

/** Whether the ledger may do `move` now, by the drawing in page_ledger.ts. */
function allowed(
  model: Model,
  move: typeof moves[number],
  frame: number,
): boolean {
  const place = model.place[frame];
  switch (move) {
    case "lend":
    case "send":
    case "putIdle":
      return place === "ring";
    case "takeBack":
      return place === "lent" || place === "quarantined";
    case "sent":
      return place === "in-flight";
    default:
      return true;
  }
}

testProperty(
  "pages are conserved under every schedule, and no wrong move is taken",
  { runs: 1000, file },
  fc.property(schedule, (schedule) => {
    const ledger = new PageLedger(FRAMES);
    const model: Model = {
      place: new Array<Place>(FRAMES).fill("idle"),
      slot: new Array<number>(FRAMES).fill(0),
    };
    for (const [move, frame, slot] of schedule) {
      // A frame that is idle in the ledger's own stack must not be moved.
      if (
        model.place[frame] === "idle" && move !== "takeIdle" &&
        move !== "quarantine"
      ) continue;
      if (!allowed(model, move, frame)) {
        assert.throws(
          () => step(ledger, model, move, frame, slot),
          /pages: frame/,
        );
      } else {
        step(ledger, model, move, frame, slot);
      }
      compare(ledger, model);
    }
  }),
);

function step(
  ledger: PageLedger,
  model: Model,
  move: typeof moves[number],
  frame: number,
  slot: number,
): void {
  const set = (place: Place, to: number) => {
    model.place[frame] = place;
    model.slot[frame] = to;
  };
  switch (move) {
    case "takeIdle": {
      const taken = ledger.takeIdle();
      if (taken === NO_FRAME) assert.ok(!model.place.includes("idle"));
      else {
        assert.equal(model.place[taken], "idle");
        model.place[taken] = "ring";
      }
      return;
    }
    case "putIdle":
      ledger.putIdle(frame);
      return set("idle", 0);
    case "lend":
      ledger.lend(frame, slot);
      return set("lent", slot);
    case "takeBack":
      ledger.takeBack(frame);
      return set("ring", 0);
    case "send":
      ledger.send(frame, slot);
      return set("in-flight", slot);
    case "sent":
      assert.equal(ledger.sent(frame), model.slot[frame]);
      return set("idle", 0);
    case "quarantine": {
      const lent = model.place.flatMap((place, i) =>
        place === "lent" && model.slot[i] === slot ? [i] : []
      );
      assert.equal(ledger.quarantine(slot), lent.length);
      for (const i of lent) model.place[i] = "quarantined";
    }
  }
}

function compare(ledger: PageLedger, model: Model): void {
  ledger.check();
  const count = (...places: Place[]) =>
    model.place.filter((p) => places.includes(p)).length;
  assert.deepEqual(ledger.snapshot(), {
    total: FRAMES,
    free: count("idle", "ring"),
    lent: count("lent"),
    inFlight: count("in-flight"),
    quarantined: count("quarantined"),
  });
  assert.equal(ledger.idleCount, count("idle"));
  model.place.forEach((place, frame) => {
    const holds = place === "lent" || place === "quarantined";
    assert.equal(ledger.lentTo(frame), holds ? model.slot[frame] : 0);
  });
}

testProperty(
  "lentTo() knows nothing of frames that do not exist",
  { runs: 300, file },
  fc.property(fc.anything(), (frame) => {
    const ledger = new PageLedger(FRAMES);
    assert.equal(ledger.lentTo(frame), 0);
  }),
);

Deno.test("pages side by side are lent and taken back as one, and those beside them stay", () => {
  const ledger = new PageLedger(FRAMES);
  for (let i = 0; i < FRAMES; i++) ledger.takeIdle();
  ledger.lend(1, 7, 4);
  const lent = () => [0, 1, 2, 3, 4, 5].map((frame) => ledger.lentTo(frame));
  assert.deepEqual(lent(), [0, 7, 7, 7, 7, 0]);
  ledger.takeBack(1, 2);
  assert.deepEqual(lent(), [0, 0, 0, 7, 7, 0]);
  assert.equal(ledger.idleCount, 0);
  ledger.takeBackIdle(3, 2);
  assert.deepEqual(lent(), [0, 0, 0, 0, 0, 0]);
  assert.equal(ledger.idleCount, 2);
  assert.deepEqual([ledger.takeIdle(), ledger.takeIdle()], [3, 4]);
  // One of several is nobody's: nothing is done by halves that anybody relies on.
  assert.throws(() => ledger.takeBack(0, 1), /frame 0 is free, not lent/);
});
