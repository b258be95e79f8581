import assert from "node:assert/strict";
import fc from "fast-check";
import { classify } from "../../../../services/filter/tree/reference.ts";
import { runTree } from "../../../oracles/run_tree.ts";
import {
  DEPTH_MAX,
  FilterLimitError,
  type GrantNode,
  mergeTree,
  SLOT_MAX,
} from "../../../../services/filter/tree/merge.ts";
import { framesFor, grantsOf } from "../../../arbitraries/grant_frames.ts";
import { derivationArbitrary } from "../../../arbitraries/grants.ts";
import { testProperty } from "../../../property.ts";

testProperty(
  "mergeTree() decides as each grant on its own, for every frame",
  { runs: 1500, file: import.meta.url },
  fc.property(
    derivationArbitrary.chain((roots) =>
      fc.tuple(
        fc.constant(roots),
        fc.array(framesFor(grantsOf(roots)), { minLength: 1, maxLength: 24 }),
      )
    ),
    ([roots, frames]) => {
      const tree = mergeTree(roots);
      for (const frame of frames) {
        assert.equal(
          runTree(tree, frame, 0, frame.length),
          classify(roots, frame, 0, frame.length),
          `frame ${frame.toHex()}`,
        );
      }
    },
  ),
);

testProperty(
  "mergeTree() gives the same tree whatever the order of siblings",
  { runs: 300, file: import.meta.url },
  fc.property(derivationArbitrary, (roots) => {
    assert.deepEqual(mergeTree(reversed(roots)), mergeTree(roots));
  }),
);

function reversed(siblings: readonly GrantNode[]): GrantNode[] {
  return siblings.toReversed().map((node) => ({
    ...node,
    children: reversed(node.children),
  }));
}

Deno.test("mergeTree() refuses derivations that are too deep, and slots that are too great", () => {
  let node: GrantNode = { slot: 1, grant: [{}], children: [] };
  for (let depth = 1; depth < DEPTH_MAX; depth++) {
    node = { slot: 1, grant: [{}], children: [node] };
  }
  mergeTree([node]);
  assert.throws(
    () => mergeTree([{ slot: 1, grant: [{}], children: [node] }]),
    FilterLimitError,
  );
  const slotted = (slot: number) =>
    mergeTree([{ slot, grant: [{}], children: [] }]);
  slotted(SLOT_MAX);
  for (const slot of [SLOT_MAX + 1, 2 ** 31, -1, 0.5]) {
    assert.throws(() => slotted(slot), FilterLimitError);
  }
});
