/** No port takes all capabilities that there may be. */

import { deepEqual, equal, ok } from "node:assert/strict";
import { CapabilityKernel } from "../../../caps/kernel/kernel.ts";
import type { Capability } from "../../../caps/kernel/capability.ts";
import { RIGHTS_ALL } from "../../../caps/kernel/rights.ts";
import { TagGenerator } from "../../../caps/kernel/tag.ts";
import { bitSets } from "./bit_sets.ts";

const LIMITS = { capabilitiesMax: 64, capabilitiesKept: 8, depthMax: 4 };

/** Nobody's packets: as many as one likes beside each other. */
const wanted = { grant: 0, rights: RIGHTS_ALL, quotaPages: 0 };

function makeGround() {
  const tags = new TagGenerator((out) => out.fill(3));
  const kernel = new CapabilityKernel(bitSets, tags, LIMITS);
  const root = kernel.makeRoot(0, 1);
  const derive = (port: number, from: Capability, to = port) =>
    kernel.derive(port, from, { ...wanted, to });
  /** A capability of the holder `port`. */
  const hold = (port: number): Capability => {
    const derived = derive(0, root, port);
    ok("capability" in derived);
    return derived.capability;
  };
  /** Derives from `from` for `to` until it is refused: how often, and why. */
  const exhaust = (port: number, from: Capability, to = port) => {
    for (let made = 0;; made++) {
      const derived = derive(port, from, to);
      if ("refused" in derived) return { made, refused: derived.refused };
    }
  };
  return { kernel, root, hold, exhaust, derive };
}

Deno.test("whoever takes all that it can leaves as much for others, one after the other", () => {
  const { hold, exhaust } = makeGround();
  // 64 less 8 that are kept, the root, and one for each of the holders.
  const holders = [1, 2, 3].map((port) => ({ port, own: hold(port) }));
  deepEqual(
    holders.map(({ port, own }) => exhaust(port, own)),
    [26, 13, 7].map((made) => ({ made, refused: "share" })),
  );
});

Deno.test("it counts against who makes one, whoever is to hold it", () => {
  const { kernel, hold, exhaust } = makeGround();
  const [mine, theirs] = [hold(1), hold(2)];
  exhaust(1, mine, 2);
  equal(kernel.share(2).made, 0);
  ok(exhaust(2, theirs).made > 0);
});

Deno.test("the root's holder has what is kept, when all others are refused, and is refused one past the limit", () => {
  const { root, hold, exhaust } = makeGround();
  const holders = Array.from({ length: 12 }, (_, i) => hold(i + 1));
  let made = 0;
  for (const [i, own] of holders.entries()) made += exhaust(i + 1, own).made;
  const left = 64 - 1 - 12 - made;
  ok(left >= LIMITS.capabilitiesKept);
  deepEqual(exhaust(0, root), { made: left, refused: "full" });
});

Deno.test("a port has room again for what it has dropped once the last page is back", () => {
  const { kernel, hold, exhaust } = makeGround();
  const own = hold(1);
  const { made } = exhaust(1, own);
  const ended = kernel.revoke(1, own);
  ok(!("refused" in ended));
  deepEqual(exhaust(1, own), { made: 0, refused: "share" });
  for (const { slot } of ended) kernel.drained(slot);
  equal(kernel.share(1).made, 0);
  deepEqual(exhaust(1, own), { made, refused: "share" });
});

Deno.test("nothing is derived one level deeper than may be", () => {
  const { root, derive } = makeGround();
  let from = root;
  for (let depth = 1; depth <= LIMITS.depthMax; depth++) {
    const derived = derive(0, from);
    ok("capability" in derived, `depth ${depth}`);
    from = derived.capability;
  }
  deepEqual(derive(0, from), { refused: "depth" });
});
