import assert from "node:assert/strict";
import { given } from "../../../../caps/kernel/given.ts";
import type {
  Field,
  HeaderAtom,
} from "../../../../services/filter/tree/atom.ts";
import type { TreeNode } from "../../../../services/filter/tree/node.ts";
import type { FragmentClass } from "../../../../services/filter/grant/grant.ts";
import { emitEbpf } from "../../../../services/filter/ebpf/emit.ts";
import { FRAME_BYTES_MAX } from "../../../../services/filter/ebpf/limits.ts";
import { runTree } from "../../../oracles/run_tree.ts";
import { runEbpf } from "../../../oracles/ebpf_vm.ts";
import { tagNumber, tagOf } from "./tags.ts";

/** An IPv4 header at the start of the bytes, and 20 more behind its first 20. */
function ipv4(first: number, flags: number, protocol: number): number[] {
  const bytes = new Array<number>(40).fill(0);
  bytes[0] = first;
  bytes[6] = flags >> 8;
  bytes[7] = flags & 255;
  bytes[9] = protocol;
  return bytes;
}

/** An IPv6 header with extension headers as [type, length], then eight bytes. */
function ipv6(
  headers: readonly (readonly [number, number])[],
  protocol: number,
): number[] {
  const types = [...headers.map(([type]) => type), protocol];
  const bytes = new Array<number>(40).fill(0);
  bytes[0] = 0x60;
  bytes[6] = types[0]!;
  headers.forEach(([type, length], index) => {
    const sizeBytes = { 44: 8, 51: (length + 2) * 4 }[type] ?? (length + 1) * 8;
    bytes.push(types[index + 1]!, length);
    bytes.push(...new Array<number>(sizeBytes - 2).fill(0));
  });
  return [...bytes, ...new Array<number>(8).fill(0)];
}

function repeat(
  count: number,
  ...header: readonly [number, number]
): (readonly [number, number])[] {
  return new Array<readonly [number, number]>(count).fill(header);
}

const protocols = [0, 17] as const;

const packets: readonly number[][] = [
  ...[0x44, 0x45, 0x46, 0x4a, 0x65, 0x55].flatMap((first) =>
    [0, 0x4000, 0x2000, 1, 0x1f00, 0x8000].flatMap((flags) =>
      protocols.map((protocol) => ipv4(first, flags, protocol))
    )
  ),
  ...[0, 43, 44, 51, 60, 135].flatMap((type) =>
    [0, 1, 2].map((length) => ipv6([[type, length]], 17))
  ),
  ipv6([], 17),
  ipv6([[44, 0]], 60),
  ipv6([[60, 0], [44, 9], [60, 0]], 17),
  ipv6([[44, 0]], 0),
  ipv6([[51, 1], [0, 1], [43, 0]], 17),
  ...[31, 32, 33].map((count) => ipv6(repeat(count, 60, 0), 17)),
  ...[31, 32].map((count) => ipv6([...repeat(count, 60, 0), [44, 0]], 17)),
  ipv6(repeat(2, 60, 200), 17),
];

/** Every length that a header could end at, and those beside it. */
function cutsOf(bytes: readonly number[]): number[][] {
  const from = Math.max(0, bytes.length - 80);
  return Array.from(
    { length: bytes.length - from + 1 },
    (_, index) => bytes.slice(0, from + index),
  );
}

function assertSame(tree: TreeNode, frames: readonly number[][]): void {
  const program = emitEbpf(tree, tagOf, { unclaimed: "kernel" });
  for (const frame of frames) {
    const bytes = Uint8Array.from(frame);
    const { tag } = runEbpf(program, bytes);
    const slot = runTree(tree, bytes, 0, bytes.length);
    assert.equal(tag, tagNumber(slot), `${frame} is slot ${slot}'s`);
  }
}

const yes: TreeNode = { branches: [], accept: { slot: 1 } };

for (const op of ["ipv4", "ipv6"] as const) {
  Deno.test(`emitEbpf() reads ${op} headers as runTree() does, cut anywhere`, () => {
    const frames = packets.flatMap(cutsOf);
    for (const protocol of [undefined, ...protocols]) {
      for (const fragment of ["whole", "fragment", "any"] as const) {
        const atom = atomOf(op, 0, fragment, protocol);
        assertSame({
          branches: [{ kind: "header", atom, then: yes }],
          accept: { slot: 2 },
        }, frames);
      }
    }
  });
}

Deno.test("emitEbpf() tries both IP versions at one place", () => {
  const branches = (["ipv4", "ipv6"] as const).map((op, index) => ({
    kind: "header" as const,
    atom: atomOf(op, 0, "whole", 17),
    then: { branches: [], accept: { slot: index + 1 } },
  }));
  assertSame({ branches }, packets);
  assertSame({ branches: branches.toReversed() }, packets);
});

Deno.test("emitEbpf() goes back to the outer header's end when an inner one fails", () => {
  const at = (offset: number): Field => ({
    from: "base",
    offset,
    width: 1,
    mask: 0xff,
  });
  const inner = (value: number): TreeNode => ({
    branches: [{
      kind: "switch",
      ...at(1),
      cases: [{ value, then: { branches: [], accept: { slot: 1 } } }],
    }],
  });
  const tree: TreeNode = {
    branches: [{
      kind: "header",
      atom: atomOf("ipv4", 0, "any"),
      then: {
        branches: [
          { kind: "header", atom: atomOf("ipv4", 0, "any"), then: inner(9) },
          {
            kind: "range",
            ...at(9),
            low: 4,
            high: 5,
            then: { branches: [], accept: { slot: 3 } },
          },
        ],
      },
    }],
  };
  const outer = ipv4(0x46, 0, 4).slice(0, 24);
  const cases = [8, 9].flatMap((value) =>
    [3, 4].map((protocol) => {
      const packet = [...outer, ...ipv4(0x45, 0, protocol)];
      packet[24 + 20 + 1] = value;
      return packet;
    })
  );
  const slots = cases.map((bytes) =>
    runTree(tree, Uint8Array.from(bytes), 0, bytes.length)
  );
  assert.deepEqual(
    slots,
    [0, 3, 1, 1],
    "the cases are what they are meant to be",
  );
  assertSame(tree, cases);
});

Deno.test("emitEbpf() claims nothing behind headers longer than a socket's frame", () => {
  const atom = atomOf("ipv6", 0, "any");
  const tree: TreeNode = { branches: [{ kind: "header", atom, then: yes }] };
  const program = emitEbpf(tree, tagOf, { unclaimed: "kernel" });
  for (const count of [1, 2, 31]) {
    const frame = Uint8Array.from(ipv6(repeat(count, 60, 255), 17));
    const { tag } = runEbpf(program, frame);
    assert.equal(tag, frame.length > FRAME_BYTES_MAX ? 0n : tagNumber(1));
  }
});

function atomOf(
  op: "ipv4" | "ipv6",
  offset: number,
  fragment: FragmentClass,
  protocol?: number,
): HeaderAtom {
  return {
    op,
    offset,
    fragment,
    ...given({ protocol }),
  };
}
