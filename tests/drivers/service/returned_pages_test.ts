import { deepEqual, equal } from "node:assert/strict";
import { EXTENT_PAGES } from "../../../caps/memory/memory.ts";
import { PageLedger } from "../../../caps/memory/page_ledger.ts";
import { ReturnedPages } from "../../../drivers/service/returned_pages.ts";

const FRAMES = 8;

/** A ledger without idle frames, and a set of what came back. */
function makeGround() {
  const frameCount = FRAMES + EXTENT_PAGES;
  const ledger = new PageLedger(frameCount, 1);
  for (let i = 0; i < FRAMES; i++) ledger.takeIdle();
  ledger.takeIdleExtent();
  return { ledger, returned: new ReturnedPages(frameCount) };
}

Deno.test("what came back and was not taken is idle in the end, and the set is empty", () => {
  const { ledger, returned } = makeGround();
  returned.add(2, 4, 1);
  const here = () =>
    Array.from({ length: FRAMES }, (_, i) => i).filter((i) => returned.has(i));
  deepEqual(here(), [2, 3, 4, 5]);
  returned.take(3);
  deepEqual(here(), [2, 4, 5]);
  returned.putIdle(ledger);
  deepEqual(here(), []);
  equal(ledger.idleCount, 3);
  deepEqual([1, 2, 3].map(() => ledger.takeIdle()), [2, 4, 5]);
  returned.add(6, 1, 1);
  returned.putIdle(ledger);
  equal(ledger.idleCount, 1, "of the message before nothing is left");
});

Deno.test("an extent comes back under the number of its first frame alone", () => {
  const { ledger, returned } = makeGround();
  returned.add(FRAMES, EXTENT_PAGES, EXTENT_PAGES);
  equal(returned.has(FRAMES), true);
  equal(returned.has(FRAMES + 1), false);
  returned.putIdle(ledger);
  equal(ledger.idleExtentCount, 1);
  equal(ledger.idleCount, 0);
});

Deno.test("a number that is no frame's is in no set", () => {
  const { returned } = makeGround();
  for (const frame of [-1, 0.5, FRAMES + EXTENT_PAGES, NaN, 0xffffffff]) {
    equal(returned.has(frame), false);
  }
});
