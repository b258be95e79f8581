import assert from "node:assert/strict";
import fc from "fast-check";
import type { KernelProgram } from "../../../../caps/driver/program.ts";
import type { Field } from "../../../../services/filter/tree/atom.ts";
import type { TreeNode } from "../../../../services/filter/tree/node.ts";
import { emitEbpf } from "../../../../services/filter/ebpf/emit.ts";
import {
  FRAME_BYTES_MAX,
  ProgramTooLarge,
} from "../../../../services/filter/ebpf/limits.ts";
import { classify } from "../../../../services/filter/tree/reference.ts";
import { runTree } from "../../../oracles/run_tree.ts";
import { mergeTree } from "../../../../services/filter/tree/merge.ts";
import { framesFor, grantsOf } from "../../../arbitraries/grant_frames.ts";
import { derivationArbitrary } from "../../../arbitraries/grants.ts";
import { treeArbitrary } from "../../../arbitraries/trees.ts";
import { runEbpf } from "../../../oracles/ebpf_vm.ts";
import { testProperty } from "../../../property.ts";
import { tagNumber, tagOf } from "./tags.ts";

const DROP = 1, PASS = 2, REDIRECT = 4;
const file = import.meta.url;

/**
 * The program does with `frame` what belongs to `slot`. What no socket takes is
 * never redirected, whoever's it is.
 */
function assertOwner(program: KernelProgram, frame: Uint8Array, slot: number) {
  const { action, tag } = runEbpf(program, frame);
  if (frame.length > FRAME_BYTES_MAX) {
    assert.notEqual(action, REDIRECT);
    assert.equal(tag, 0n);
    return;
  }
  assert.deepEqual(
    { action, tag },
    { action: slot === 0 ? PASS : REDIRECT, tag: tagNumber(slot) },
    `${frame.length} bytes, slot ${slot}`,
  );
}

testProperty(
  "emitEbpf() comes to the same as the walk of any tree, on frames cut anywhere",
  { runs: 400, file },
  fc.property(treeArbitrary, fc.nat(), ({ tree, frames }, cut) => {
    const program = emitEbpf(tree, tagOf, { unclaimed: "kernel" });
    for (const frame of frames) {
      const shorter = frame.subarray(0, cut % (frame.length + 1));
      for (const one of [frame, shorter]) {
        assertOwner(program, one, runTree(tree, one, 0, one.length));
      }
    }
  }),
);

testProperty(
  "emitEbpf() comes to the same as the grants that it was merged from",
  { runs: 150, file },
  fc.property(
    derivationArbitrary.chain((roots) =>
      fc.tuple(
        fc.constant(roots),
        fc.array(framesFor(grantsOf(roots)), { minLength: 1, maxLength: 8 }),
      )
    ),
    ([roots, frames]) => {
      const program = emitEbpf(mergeTree(roots), tagOf, {
        unclaimed: "kernel",
      });
      for (const frame of frames) {
        assertOwner(program, frame, classify(roots, frame, 0, frame.length));
      }
    },
  ),
);

const everything: TreeNode = { branches: [], accept: { slot: 5 } };
const frame = new Uint8Array(60);

Deno.test("emitEbpf() hands a claimed packet to the socket of its own queue", () => {
  const program = emitEbpf(everything, tagOf, { unclaimed: "kernel" });
  const { action, tag } = runEbpf(program, frame, { queue: 3 });
  assert.deepEqual({ action, tag }, { action: REDIRECT, tag: tagNumber(5) });
});

Deno.test("emitEbpf() drops and counts what cannot be handed over", () => {
  const program = emitEbpf(everything, tagOf, { unclaimed: "kernel" });
  const cases = [
    { reason: "no-socket", packet: frame, options: { socket: false } },
    { reason: "no-tag-room", packet: frame, options: { tagRoom: false } },
    { reason: "too-long", packet: new Uint8Array(3841), options: {} },
  ];
  for (const { reason, packet, options } of cases) {
    const { action, tag, counters } = runEbpf(program, packet, options);
    assert.deepEqual({ action, tag }, { action: DROP, tag: 0n });
    for (const [name, count] of Object.entries(counters)) {
      assert.equal(count, name === reason ? 1 : 0, `${name} with ${reason}`);
    }
  }
  assert.equal(runEbpf(program, new Uint8Array(3840)).action, REDIRECT);
});

Deno.test("emitEbpf() passes what is nobody's to the kernel, whatever its length", () => {
  const program = emitEbpf({ branches: [] }, tagOf, { unclaimed: "kernel" });
  for (const packet of [new Uint8Array(0), frame, new Uint8Array(9000)]) {
    const { action, counters } = runEbpf(program, packet, { socket: false });
    assert.equal(action, PASS);
    assert.equal(Object.values(counters).some((count) => count > 0), false);
  }
});

Deno.test("emitEbpf() drops and counts what is nobody's where that was asked for", () => {
  const program = emitEbpf({ branches: [] }, tagOf, { unclaimed: "drop" });
  const { action, counters } = runEbpf(program, frame);
  assert.equal(action, DROP);
  assert.equal(counters["unclaimed"], 1);
});

Deno.test("emitEbpf() emits what is derived from a grant once, however many branches end in it", () => {
  const port: Field = { from: "frame", offset: 0, width: 2, mask: 0xffff };
  const accept = { slot: 1, children: switchOf(port, 9) };
  const ways = (count: number): TreeNode => ({
    branches: [{
      kind: "switch",
      ...port,
      cases: Array.from(
        { length: count },
        (_, value) => ({ value, then: { branches: [], accept } }),
      ),
    }],
  });
  const sizeOf = (count: number) =>
    emitEbpf(ways(count), tagOf, { unclaimed: "kernel" }).instructions.length;
  assert.ok(sizeOf(12) - sizeOf(2) < 10 * 4 * 8);
});

Deno.test("emitEbpf() keeps any number of exact flows in one table", () => {
  const port: Field = { from: "frame", offset: 2, width: 2, mask: 0xffff };
  const programs = [100, 5000].map((count) =>
    emitEbpf(switchOf(port, count), tagOf, { unclaimed: "kernel" })
  );
  const [few, many] = programs;
  assert.deepEqual(few!.instructions, many!.instructions);
  const flows = many!.maps.filter((map) => map.kind === "flows");
  assert.deepEqual(flows.map((map) => map.entriesMax), [10000]);
});

Deno.test("emitEbpf() keeps tables with keys of one length in one map, apart", () => {
  const [first, second] = [0, 2].map((offset) =>
    switchOf({ from: "frame", offset, width: 2, mask: 0xffff }, 50)
  );
  const tree = { branches: [...first!.branches, ...second!.branches] };
  const program = emitEbpf(tree, tagOf, { unclaimed: "kernel" });
  assert.equal(program.maps.length, 3);
  assertOwner(program, Uint8Array.of(0, 9, 0, 3), 10);
  assertOwner(program, Uint8Array.of(1, 0, 0, 3), 4);
});

Deno.test("emitEbpf() refuses what the kernel would not take", () => {
  const byte: Field = { from: "base", offset: 0, width: 1, mask: 0xff };
  const ranges: TreeNode = {
    branches: Array.from({ length: 4000 }, (_, low) => ({
      kind: "range",
      ...byte,
      low: low % 256,
      high: 255,
      then: { branches: [], accept: { slot: low + 1 } },
    })),
  };
  let headers = everything;
  for (let depth = 0; depth < 9; depth++) {
    const atom = { op: "ipv4", offset: 0, fragment: "any" } as const;
    headers = { branches: [{ kind: "header", atom, then: headers }] };
  }
  let deep = everything;
  for (let depth = 0; depth < 300; depth++) {
    const cases = [{ value: depth % 256, then: deep }];
    deep = { branches: [{ kind: "switch", ...byte, cases }] };
  }
  const far = switchOf({ ...byte, offset: 3840 }, 2);
  for (const tree of [ranges, headers, deep, far]) {
    assert.throws(
      () => emitEbpf(tree, tagOf, { unclaimed: "kernel" }),
      (error) =>
        error instanceof ProgramTooLarge &&
        /^no kernel program for these grants: .*\d/.test(error.message),
    );
  }
});

/** A switch over `field` whose cases are slots from 1 on. */
function switchOf(field: Field, count: number): TreeNode {
  const cases = Array.from({ length: count }, (_, value) => ({
    value,
    then: { branches: [], accept: { slot: value + 1 } },
  }));
  return { branches: [{ kind: "switch", ...field, cases }] };
}
