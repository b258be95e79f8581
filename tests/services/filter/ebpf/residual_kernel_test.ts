import assert from "node:assert/strict";
import fc from "fast-check";
import type { TreeNode } from "../../../../services/filter/tree/node.ts";
import { emitEbpf } from "../../../../services/filter/ebpf/emit.ts";
import { matchesText } from "../../../../services/filter/language/interpret.ts";
import { runTree } from "../../../oracles/run_tree.ts";
import { mergeTree } from "../../../../services/filter/tree/merge.ts";
import { anyFrame } from "../../../arbitraries/frames.ts";
import { framesFor, grantsOf } from "../../../arbitraries/grant_frames.ts";
import { linkedFrame } from "../../../arbitraries/linked_frames.ts";
import {
  compiled,
  residualsArbitrary,
  textArbitrary,
  type TextCase,
} from "../../../arbitraries/residuals.ts";
import { type Need, testWith } from "../../../needs.ts";
import { KernelOracle } from "../../../oracles/kernel_ebpf.ts";
import { testProperty } from "../../../property.ts";
import { tagNumber, tagOf } from "./tags.ts";
import { unlessTooLarge } from "./within_limits.ts";

/** What BPF_PROG_TEST_RUN takes: an Ethernet header at least, and not quite a page. */
const RUN_BYTES_MIN = 14, RUN_BYTES_MAX = 3400;

const MATCHES = 1, OTHERWISE = 2;
const PASS = 2, REDIRECT = 4;

const needs: readonly Need[] = ["linux", "root"];

const frameArbitrary = fc.oneof(
  { weight: 4, arbitrary: linkedFrame("ethernet") },
  { weight: 1, arbitrary: anyFrame() },
);

/** A property that the kernel is asked about, where it can be. */
function kernelProperty<T>(
  name: string,
  runs: number,
  property: fc.IRawProperty<T>,
): void {
  testProperty(name, { runs, file: import.meta.url, needs }, property);
}

/** The kernel takes the program of `tree`, and gives each frame, cut anywhere, to its slot. */
function assertOwners(
  tree: TreeNode,
  frames: readonly Uint8Array<ArrayBuffer>[],
  ownerOf: (frame: Uint8Array) => number,
): void {
  const program = unlessTooLarge(() =>
    emitEbpf(tree, tagOf, { unclaimed: "kernel" })
  );
  using kernel = new KernelOracle(program, { socket: true });
  const whole = frames.filter(({ length }) =>
    length >= RUN_BYTES_MIN && length <= RUN_BYTES_MAX
  );
  const first = whole[0] ?? new Uint8Array(RUN_BYTES_MIN);
  for (let length = RUN_BYTES_MIN; length < first.length; length++) {
    whole.push(first.slice(0, length));
  }
  for (const frame of whole) {
    const slot = ownerOf(frame);
    const action = slot === 0 ? PASS : REDIRECT;
    assert.deepEqual(
      kernel.run(frame),
      { action, tag: tagNumber(slot) },
      frame.toHex(),
    );
  }
}

function assertText(
  { program }: TextCase,
  frames: readonly Uint8Array<ArrayBuffer>[],
): void {
  const residual = { program, otherwise: OTHERWISE };
  const tree = { branches: [], accept: { slot: MATCHES, residual } };
  assertOwners(
    tree,
    frames,
    (frame) => matchesText(program, frame) ? MATCHES : OTHERWISE,
  );
}

kernelProperty(
  "the kernel takes what emitEbpf() makes of any filter text, and matches as its interpreter",
  150,
  fc.property(
    textArbitrary,
    fc.array(frameArbitrary, { minLength: 1, maxLength: 6 }),
    assertText,
  ),
);

kernelProperty(
  "the kernel takes what emitEbpf() makes of grants with filter text, and runs it as their tree",
  60,
  fc.property(
    residualsArbitrary.chain((roots) =>
      fc.tuple(
        fc.constant(roots),
        fc.array(fc.oneof(framesFor(grantsOf(roots)), frameArbitrary), {
          minLength: 1,
          maxLength: 8,
        }),
      )
    ),
    ([roots, frames]) => {
      const tree = mergeTree(roots);
      assertOwners(
        tree,
        frames,
        (frame) => runTree(tree, frame, 0, frame.length),
      );
    },
  ),
);

testWith(
  needs,
  "the kernel takes filter text up to the limits, and deep in a tree of headers",
  () => {
    const many = (count: number, text: (index: number) => string) =>
      compiled(Array.from({ length: count }, (_, i) => text(i)).join(" or "))!;
    const texts = [
      many(2_400, (index) => `ether[${index}] = 1`),
      many(6, (index) => `ip6 protochain ${index}`),
      many(120, (index) => `port ${index}`),
      many(4, (index) => `geneve ${index}`),
      compiled(`tcp[${"ether[".repeat(40)}0${"]".repeat(40)}] = 0`)!,
    ];
    // The kernel refuses shifts by constants of 32 or more.
    texts.push(compiled("(ether[0] << (16 + 16)) + (len >> (8 * 5)) = 0")!);
    // More results at a time than there are registers.
    const sum = (depth: number, at: number): string =>
      depth === 0
        ? `(len % ether[${at}])`
        : `(${sum(depth - 1, at)} - ${sum(depth - 1, at + (1 << depth))})`;
    texts.push(compiled(`${sum(8, 0)} = ${sum(7, 1)}`)!);
    const frames = [60, 1500].map((size) => new Uint8Array(size).fill(6));
    for (const text of texts) assertText(text, frames);
    // IPv6 headers within each other push jumps of their own.
    const residual = { program: texts[0]!.program, otherwise: OTHERWISE };
    let tree: TreeNode = { branches: [], accept: { slot: MATCHES, residual } };
    for (let depth = 0; depth < 8; depth++) {
      const atom = { op: "ipv6", offset: 14, fragment: "any" } as const;
      tree = {
        branches: [{ kind: "header", atom, then: tree }],
        accept: { slot: 3 },
      };
    }
    const owner = (frame: Uint8Array) => runTree(tree, frame, 0, frame.length);
    assertOwners(tree, frames, owner);
  },
);
