/** Extents in the ledger: many pages under one number. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { EXTENT_PAGES } from "../../../caps/memory/memory.ts";
import { NO_FRAME, PageLedger } from "../../../caps/memory/page_ledger.ts";
import { testProperty } from "../../property.ts";

const FRAMES = 6;
const EXTENTS = 2;
const TOTAL = FRAMES + EXTENTS * EXTENT_PAGES;

type Place = "idle" | "ring" | "lent" | "in-flight" | "quarantined";

/** What goes under one number, a frame or an extent, and where it is. */
interface Unit {
  readonly first: number;
  readonly pages: number;
  place: Place;
  slot: number;
}

function makeUnits(): Unit[] {
  const firsts = [0, 1, 2, 3, 4, 5, FRAMES, FRAMES + EXTENT_PAGES];
  return firsts.map((first) => ({
    first,
    pages: first < FRAMES ? 1 : EXTENT_PAGES,
    place: "idle",
    slot: 0,
  }));
}

/** What is done to a unit: the ways out of its place, or a holder that is terminated. */
const steps = fc.array(
  fc.tuple(
    fc.nat(FRAMES + EXTENTS - 1),
    fc.constantFrom(0, 1, 2),
    fc.integer({ min: 1, max: 3 }),
  ),
  { maxLength: 60 },
);

testProperty(
  "an extent goes round as one, and counts as all of its pages",
  { runs: 300, file: import.meta.url },
  fc.property(steps, (steps) => {
    const ledger = new PageLedger(TOTAL, EXTENTS);
    const units = makeUnits();
    for (const [index, way, slot] of steps) {
      move(ledger, units, units[index]!, way, slot);
      compare(ledger, units);
    }
  }),
);

function move(
  ledger: PageLedger,
  units: Unit[],
  unit: Unit,
  way: number,
  slot: number,
): void {
  const { first, pages } = unit;
  if (unit.place === "idle") {
    const taken = pages === 1 ? ledger.takeIdle() : ledger.takeIdleExtent();
    const one = units.find(({ first }) => first === taken)!;
    assert.equal(one.place, "idle");
    assert.equal(one.pages, pages);
    one.place = "ring";
  } else if (unit.place === "ring") {
    if (way === 0) ledger.putIdle(first);
    else if (way === 1) ledger.lend(first, slot);
    else ledger.send(first, slot);
    unit.place = (["idle", "lent", "in-flight"] as const)[way]!;
    unit.slot = way === 0 ? 0 : slot;
  } else if (unit.place === "in-flight") {
    assert.equal(ledger.sent(first), unit.slot);
    unit.place = "idle";
  } else if (way === 0) {
    ledger.takeBackIdle(first, pages);
    unit.place = "idle";
  } else if (way === 1) {
    ledger.takeBack(first);
    unit.place = "ring";
  } else {
    const lent = units.filter((one) =>
      one.place === "lent" && one.slot === slot
    );
    assert.equal(ledger.quarantine(slot), pagesOf(lent));
    for (const one of lent) one.place = "quarantined";
  }
}

function compare(ledger: PageLedger, units: Unit[]): void {
  ledger.check();
  const at = (...places: Place[]) =>
    units.filter(({ place }) => places.includes(place));
  assert.deepEqual(ledger.snapshot(), {
    total: TOTAL,
    free: pagesOf(at("idle", "ring")),
    lent: pagesOf(at("lent")),
    inFlight: pagesOf(at("in-flight")),
    quarantined: pagesOf(at("quarantined")),
  });
  const singles = at("idle").filter(({ pages }) => pages === 1);
  assert.equal(ledger.idleCount, singles.length);
  assert.equal(ledger.idleExtentCount, at("idle").length - singles.length);
  for (const { first, pages, place, slot } of units) {
    assert.equal(ledger.pagesOf(first), pages);
    const holder = place === "lent" || place === "quarantined" ? slot : 0;
    for (const frame of [first, first + pages - 1]) {
      assert.equal(ledger.lentTo(frame), holder);
    }
  }
}

function pagesOf(units: readonly Unit[]): number {
  return units.reduce((sum, { pages }) => sum + pages, 0);
}

Deno.test("extents are given out from the first on, and none when all are out", () => {
  const ledger = new PageLedger(FRAMES + EXTENTS * EXTENT_PAGES, EXTENTS);
  assert.deepEqual(
    [1, 2, 3].map(() => ledger.takeIdleExtent()),
    [FRAMES, FRAMES + EXTENT_PAGES, NO_FRAME],
  );
});

Deno.test("check() notices what is idle and not free, idle twice, and the middle of an extent", () => {
  const make = () => new PageLedger(FRAMES + EXTENT_PAGES, 1);
  make().check();
  const wrong: ((ledger: PageLedger) => void)[] = [
    (ledger) => ledger.lend(3, 1),
    (ledger) => ledger.putIdle(FRAMES),
    (ledger) => ledger.putIdle(FRAMES + 1),
  ];
  for (const move of wrong) {
    const ledger = make();
    move(ledger);
    assert.throws(() => ledger.check(), /pages are not conserved: {"total":23/);
  }
});

Deno.test("something goes under the number of every single frame, and of an extent's first", () => {
  const ledger = new PageLedger(2 + 2 * EXTENT_PAGES, 2);
  const firsts = Array.from({ length: 2 + 2 * EXTENT_PAGES }, (_, i) => i)
    .filter((frame) => ledger.isFirst(frame));
  assert.deepEqual(firsts, [0, 1, 2, 2 + EXTENT_PAGES]);
});
