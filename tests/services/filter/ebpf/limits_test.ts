/** The limits of kernel programs: what is just within one is emitted, and one past it is refused. */

import { match, throws } from "node:assert/strict";
import { emitEbpf } from "../../../../services/filter/ebpf/emit.ts";
import {
  FLOW_FIELDS_MAX,
  FLOWS_MAX,
  FRAME_BYTES_MAX,
  HEADER_DEPTH_MAX,
  INSTRUCTIONS_MAX,
  ProgramTooLarge,
  PROTOCHAIN_ROUNDS_MAX,
  RESIDUAL_JUMPS_MAX,
  TREE_DEPTH_MAX,
} from "../../../../services/filter/ebpf/limits.ts";
import { FlowTables } from "../../../../services/filter/ebpf/tables.ts";
import type { Field } from "../../../../services/filter/tree/atom.ts";
import type { TreeNode } from "../../../../services/filter/tree/node.ts";
import { compiled } from "../../../arbitraries/residuals.ts";
import { tagOf } from "./tags.ts";

const END: TreeNode = { branches: [], accept: { slot: 1 } };
const BYTE: Field = { from: "base", offset: 0, width: 1, mask: 0xff };

const emit = (tree: TreeNode) => emitEbpf(tree, tagOf, { unclaimed: "kernel" });

/** `make` of the limit is emitted, of one more it is refused. */
function atBorder(limit: number, make: (size: number) => unknown): void {
  make(limit);
  throws(() => make(limit + 1), ProgramTooLarge, `${limit + 1} is admitted`);
}

Deno.test("a program reads behind 8 headers", () => {
  const behind = (depth: number): TreeNode => {
    const atom = { op: "ipv4", offset: 0, fragment: "any" } as const;
    return depth === 0
      ? END
      : { branches: [{ kind: "header", atom, then: behind(depth - 1) }] };
  };
  atBorder(HEADER_DEPTH_MAX, (depth) => emit(behind(depth)));
});

Deno.test("a tree is 256 branches deep", () => {
  const under = (depth: number): TreeNode =>
    Array.from({ length: depth }).reduce<TreeNode>((then, _, n) => ({
      branches: [{
        kind: "switch",
        ...BYTE,
        cases: [{ value: n % 256, then }],
      }],
    }), END);
  // The end is a node, too.
  atBorder(TREE_DEPTH_MAX - 1, (depth) => emit(under(depth)));
});

Deno.test("a field ends at the largest frame's end", () => {
  const at = (end: number): TreeNode => ({
    branches: [{
      kind: "switch",
      ...BYTE,
      offset: end - 1,
      cases: [{ value: 7, then: END }],
    }],
  });
  atBorder(FRAME_BYTES_MAX, (end) => emit(at(end)));
});

Deno.test("a table has 16 fields, and all tables have 2^20 flows", () => {
  const add = (fields: number, counts: readonly number[]) => {
    const tables = new FlowTables(1);
    for (const count of counts) {
      tables.add(fields, Array.from({ length: count }, entry));
    }
  };
  const entry = (_: unknown, n: number) => ({
    key: [n],
    tag: { low: 1, high: 0 },
  });
  atBorder(FLOW_FIELDS_MAX, (fields) => add(fields, [1]));
  atBorder(FLOWS_MAX, (count) => add(1, [count >>> 1, count - (count >>> 1)]));
});

Deno.test("a filter text has 5,000 jumps, and walks over 11,520 headers", () => {
  const residual = (text: string): TreeNode => ({
    branches: [],
    accept: {
      slot: 2,
      residual: { program: compiled(text)!.program, otherwise: 1 },
    },
  });
  const jumpsOf = (count: number) =>
    Array.from({ length: count }, (_, n) => `ether[${n}] = 1`).join(" or ");
  // Each has one jump for its comparison, and one for its length.
  atBorder(RESIDUAL_JUMPS_MAX / 2, (count) => emit(residual(jumpsOf(count))));
  const walks = (count: number) =>
    Array.from({ length: count }, (_, n) => `ip6 protochain ${n}`)
      .join(" or ");
  atBorder(
    PROTOCHAIN_ROUNDS_MAX / 1920,
    (count) => emit(residual(walks(count))),
  );
});

Deno.test("a program has 32,000 instructions", () => {
  const ranges = (count: number): TreeNode => ({
    branches: Array.from({ length: count }, (_, low) => ({
      kind: "range",
      ...BYTE,
      low: low % 256,
      high: 255,
      then: { branches: [], accept: { slot: low + 1 } },
    })),
  });
  // As many as fit, found by halves.
  let [fits, not] = [1, 8000];
  while (not - fits > 1) {
    const middle = (fits + not) >>> 1;
    try {
      emit(ranges(middle));
      fits = middle;
    } catch (error) {
      match((error as Error).message, /32000|\d+ instructions/);
      not = middle;
    }
  }
  const size = emit(ranges(fits)).instructions.length / 8;
  if (size > INSTRUCTIONS_MAX || size < INSTRUCTIONS_MAX - 40) {
    throw new Error(`${size} instructions are as many as are admitted`);
  }
});
