import assert from "node:assert/strict";
import fc from "fast-check";
import type { KernelProgram } from "../../../../caps/driver/program.ts";
import type { Field } from "../../../../services/filter/tree/atom.ts";
import type {
  Branch,
  TreeNode,
} from "../../../../services/filter/tree/node.ts";
import {
  EBPF_COUNTERS,
  emitEbpf,
} from "../../../../services/filter/ebpf/emit.ts";
import { mergeTree } from "../../../../services/filter/tree/merge.ts";
import { framesFor, grantsOf } from "../../../arbitraries/grant_frames.ts";
import { derivationArbitrary } from "../../../arbitraries/grants.ts";
import { treeArbitrary } from "../../../arbitraries/trees.ts";
import { runEbpf } from "../../../oracles/ebpf_vm.ts";
import { type Need, testWith } from "../../../needs.ts";
import { KernelOracle } from "../../../oracles/kernel_ebpf.ts";
import { testProperty } from "../../../property.ts";
import { tagOf } from "./tags.ts";

/** What BPF_PROG_TEST_RUN takes: an Ethernet header at least, and not quite a page. */
const RUN_BYTES_MIN = 14, RUN_BYTES_MAX = 3400;

const DROP = 1;

const needs: readonly Need[] = ["linux", "root"];

/** A property that the kernel is asked about, where it can be. */
function kernelProperty<T>(
  name: string,
  runs: number,
  property: fc.IRawProperty<T>,
): void {
  testProperty(name, { runs, file: import.meta.url, needs }, property);
}

/** The kernel takes the program, and does with each frame what the machine of the tests does. */
function assertAlike(
  program: KernelProgram,
  frames: readonly Uint8Array<ArrayBuffer>[],
): void {
  using kernel = new KernelOracle(program, { socket: true });
  for (const frame of frames) {
    if (frame.length < RUN_BYTES_MIN || frame.length > RUN_BYTES_MAX) continue;
    const { action, tag } = runEbpf(program, frame);
    assert.deepEqual(kernel.run(frame), { action, tag });
  }
}

kernelProperty(
  "the kernel takes what emitEbpf() makes of any tree, and runs it as written",
  60,
  fc.property(treeArbitrary, fc.nat(), ({ tree, frames }, cut) => {
    const program = emitEbpf(tree, tagOf, { unclaimed: "kernel" });
    const cuts = frames.map((one) => one.slice(0, 14 + cut % one.length));
    assertAlike(program, [...frames, ...cuts]);
  }),
);

kernelProperty(
  "the kernel takes what emitEbpf() makes of any grants, and runs it as written",
  40,
  fc.property(
    derivationArbitrary.chain((roots) =>
      fc.tuple(
        fc.constant(roots),
        fc.array(framesFor(grantsOf(roots)), { minLength: 4, maxLength: 8 }),
      )
    ),
    ([roots, frames]) => {
      const tree = mergeTree(roots);
      const program = emitEbpf(tree, tagOf, { unclaimed: "drop" });
      assertAlike(program, frames);
    },
  ),
);

testWith(
  needs,
  "the kernel counts a packet for a queue without a socket",
  () => {
    const everything = { branches: [], accept: { slot: 1 } };
    const program = emitEbpf(everything, tagOf, { unclaimed: "kernel" });
    using kernel = new KernelOracle(program, { socket: false });
    for (let count = 0; count < 3; count++) {
      assert.deepEqual(kernel.run(new Uint8Array(60)), {
        action: DROP,
        tag: 0n,
      });
    }
    const counters = EBPF_COUNTERS.map((
      name,
    ) => [name, name === "no-socket" ? 3 : 0]);
    assert.deepEqual(kernel.counters(), Object.fromEntries(counters));
  },
);

testWith(
  needs,
  "the kernel takes large programs: flows, branches, cases, headers within headers",
  () => {
    const trees: TreeNode[] = [
      node({
        kind: "flows",
        fields: [word, port],
        entries: many(20_000, (index) => ({
          key: [index, 7],
          accept: { slot: index + 1 },
        })),
      }),
      node(...many(600, (index): Branch => ({
        kind: "range",
        ...port,
        low: index,
        high: index + 1,
        then: { branches: [], accept: { slot: index + 1 } },
      }))),
      node({
        kind: "switch",
        ...word,
        cases: many(600, (value) => ({
          value,
          then: node({
            kind: "switch",
            ...port,
            cases: [{ value: 7, then: { branches: [], accept: { slot: 1 } } }],
          }),
        })),
      }),
      many(8).reduce<TreeNode>(
        (then) =>
          node({
            kind: "header",
            atom: { op: "ipv6", offset: 14, fragment: "any" },
            then: { ...then, accept: { slot: 1 } },
          }),
        node({ kind: "range", ...port, low: 1, high: 2, then: node() }),
      ),
    ];
    for (const tree of trees) {
      const program = emitEbpf(tree, tagOf, { unclaimed: "kernel" });
      const frames = [60, 400].map((size) => new Uint8Array(size).fill(7));
      assertAlike(program, frames);
    }
  },
);

const word: Field = { from: "frame", offset: 30, width: 4, mask: 0xffffffff };
const port: Field = { from: "base", offset: 2, width: 2, mask: 0xffff };

function node(...branches: Branch[]): TreeNode {
  return { branches };
}

function many(count: number): number[];
function many<T>(count: number, make: (index: number) => T): T[];
function many(count: number, make = (index: number): unknown => index) {
  return Array.from({ length: count }, (_, index) => make(index));
}
