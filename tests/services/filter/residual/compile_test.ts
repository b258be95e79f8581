import assert from "node:assert/strict";
import fc from "fast-check";
import type { Grant } from "../../../../services/filter/grant/grant.ts";
import { classify } from "../../../../services/filter/tree/reference.ts";
import { compileText } from "../../../../services/filter/language/compile.ts";
import { runTree } from "../../../oracles/run_tree.ts";
import {
  FilterLimitError,
  mergeTree,
} from "../../../../services/filter/tree/merge.ts";
import { anyFrame } from "../../../arbitraries/frames.ts";
import { framesFor, grantsOf } from "../../../arbitraries/grant_frames.ts";
import { linkedFrame } from "../../../arbitraries/linked_frames.ts";
import { residualsArbitrary } from "../../../arbitraries/residuals.ts";
import { testProperty } from "../../../property.ts";

const file = import.meta.url;
const EVERYTHING: Grant = [{}];

testProperty(
  "mergeTree() decides as each grant with its residual on its own",
  { runs: 600, file },
  fc.property(
    residualsArbitrary.chain((roots) =>
      fc.tuple(
        fc.constant(roots),
        fc.array(
          fc.oneof(
            framesFor(grantsOf(roots)),
            linkedFrame("ethernet"),
            anyFrame(),
          ),
          { minLength: 1, maxLength: 24 },
        ),
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

Deno.test("a packet that a residual refuses is its nearest receiving ancestor's", () => {
  const residual = compileText("ether[14] = 7 and ether[20] = 1", {
    linkType: "ethernet",
  });
  const leaf = { slot: 3, grant: EVERYTHING, residual, children: [] };
  const silent = { slot: 0, grant: EVERYTHING, children: [leaf] };
  const roots = [{ slot: 1, grant: EVERYTHING, children: [silent] }];
  const frame = new Uint8Array(60);
  const tree = mergeTree(roots);
  const owner = (length: number) => {
    const slot = classify(roots, frame, 0, length);
    assert.equal(runTree(tree, frame, 0, length), slot);
    return slot;
  };
  assert.equal(owner(60), 1);
  frame[14] = 7;
  frame[20] = 1;
  assert.equal(owner(60), 3);
  assert.equal(owner(20), 1);
});

Deno.test("mergeTree() refuses filter text where grants are derived, or for other link types", () => {
  const children = [{ slot: 2, grant: EVERYTHING, children: [] }];
  const residual = compileText("tcp", { linkType: "ethernet" });
  assert.throws(
    () => mergeTree([{ slot: 1, grant: EVERYTHING, residual, children }]),
    FilterLimitError,
  );
  const raw = compileText("tcp", { linkType: "raw" });
  assert.throws(
    () =>
      mergeTree([{ slot: 1, grant: EVERYTHING, residual: raw, children: [] }]),
    FilterLimitError,
  );
});
