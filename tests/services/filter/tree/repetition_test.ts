/** A grant may say the same thing several times: every backend takes it, and means what it says once. */

import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { SocketCover } from "../../../../services/filter/classic/cover.ts";
import { emitEbpf } from "../../../../services/filter/ebpf/emit.ts";
import {
  FRAME_BYTES_MAX,
  ProgramTooLarge,
} from "../../../../services/filter/ebpf/limits.ts";
import {
  arp,
  either,
  ethernet,
  ipv4,
} from "../../../../services/filter/grant/builder.ts";
import { checkGrant } from "../../../../services/filter/grant/check.ts";
import {
  CONJUNCTIONS_MAX,
  type Grant,
} from "../../../../services/filter/grant/grant.ts";
import {
  type GrantNode,
  mergeTree,
} from "../../../../services/filter/tree/merge.ts";
import {
  classify,
  matches,
} from "../../../../services/filter/tree/reference.ts";
import { emitWasm } from "../../../../services/filter/wasm/emit.ts";
import { framesFor, grantsOf } from "../../../arbitraries/grant_frames.ts";
import { derivationArbitrary } from "../../../arbitraries/grants.ts";
import { runEbpf } from "../../../oracles/ebpf_vm.ts";
import { testProperty } from "../../../property.ts";
import { tagNumber, tagOf } from "../ebpf/tags.ts";
import { load, MEMORY_PAGES } from "../wasm/wasm_harness.ts";

/** Adds `copies` of the grants' conjunctions, wherever they say, up to the limit. */
function repeated(
  roots: readonly GrantNode[],
  copies: readonly number[],
): GrantNode[] {
  const repeat = (grant: Grant): Grant => {
    const all = [...grant];
    for (const copy of copies) {
      if (all.length === CONJUNCTIONS_MAX) break;
      all.splice(copy % (all.length + 1), 0, grant[copy % grant.length]!);
    }
    return all;
  };
  return roots.map((node) => ({
    ...node,
    grant: repeat(node.grant),
    children: repeated(node.children, copies),
  }));
}

const repetitions = fc.tuple(
  derivationArbitrary,
  // So many that what is repeated alone would be a table of flows.
  fc.array(fc.nat(63), { minLength: 1, maxLength: 16 }),
).map(([roots, copies]) => repeated(roots, copies));

testProperty(
  "a grant that says the same thing several times means what it says once, in every backend",
  { runs: 150, file: import.meta.url },
  fc.property(
    repetitions.chain((roots) =>
      fc.tuple(
        fc.constant(roots),
        fc.array(
          framesFor(grantsOf(roots)).filter(({ length }) =>
            length > 0 && length <= FRAME_BYTES_MAX
          ),
          { minLength: 1, maxLength: 6 },
        ),
      )
    ),
    ([roots, frames]) => {
      const tree = mergeTree(roots);
      const owners = frames.map((frame) =>
        classify(roots, frame, 0, frame.length)
      );
      const sends = grantsOf(roots).map((grant, i) => ({ slot: i + 1, grant }));
      const wasm = load(emitWasm(tree, sends, MEMORY_PAGES));
      deepEqual(wasm.classify(frames, 0xa5), owners);
      for (const { slot, grant } of sends) {
        deepEqual(
          wasm.permit(frames, slot).map((one) => one !== 0),
          frames.map((frame) => matches(grant, frame, 0, frame.length)),
        );
      }
      deepEqual(
        new SocketCover(roots).emit(),
        new SocketCover(once(roots)).emit(),
      );
      const kernel = unlessTooLarge(() =>
        emitEbpf(tree, tagOf, { unclaimed: "kernel" })
      );
      if (kernel === undefined) return;
      deepEqual(
        frames.map((frame) => runEbpf(kernel, frame).tag),
        owners.map(tagNumber),
      );
    },
  ),
);

/** Removes repeated alternatives from grants. */
function once(roots: readonly GrantNode[]): GrantNode[] {
  return roots.map((node) => ({
    ...node,
    grant: [...new Map(node.grant.map((one) => [JSON.stringify(one), one]))
      .values()],
    children: once(node.children),
  }));
}

function unlessTooLarge<T>(emit: () => T): T | undefined {
  try {
    return emit();
  } catch (error) {
    if (error instanceof ProgramTooLarge) return undefined;
    throw error;
  }
}

Deno.test("a conjunction that comes six times beside another compiles", () => {
  // Alone they would be a table of flows that differ in nothing.
  const [first, second] = [ethernet().etherType(0x88cc), arp()];
  const grant = [...new Array(6).fill(first.grant[0]!), ...second.grant];
  const tree = mergeTree([{ slot: 1, grant, children: [] }]);
  load(emitWasm(tree, [], MEMORY_PAGES));
  deepEqual(
    tree,
    mergeTree([{ slot: 1, grant: either(first, second), children: [] }]),
  );
});

Deno.test("a checked grant has each conjunction once", () => {
  const { grant } = ipv4().udp().dstPort(7);
  equal(checkGrant([...grant, ...grant, {}]).length, 2);
});
