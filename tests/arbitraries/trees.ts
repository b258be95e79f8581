/**
 * Merged trees of any shape, grants or no grants behind them, and frames that
 * get far in them: a tree's values are read out of the frames that it is drawn
 * together with, where the walk would read them.
 */

import fc from "fast-check";
import { given } from "../../caps/kernel/given.ts";
import type { Field, HeaderAtom } from "../../services/filter/tree/atom.ts";
import type {
  Accept,
  Branch,
  TreeNode,
} from "../../services/filter/tree/node.ts";
import type { FragmentClass } from "../../services/filter/grant/grant.ts";
import { readIpHeader } from "../../services/filter/tree/ip_header.ts";

/** A tree, and frames to walk it with. */
export interface TreeCase {
  readonly tree: TreeNode;
  readonly frames: readonly Uint8Array<ArrayBuffer>[];
}

const ETHERNET_BYTES = 14;

const byte = fc.oneof(fc.nat(3), fc.nat(255));

/** An IPv4 header with whatever behind it, at the start of the bytes. */
const ipv4Bytes: fc.Arbitrary<number[]> = fc.tuple(
  fc.constantFrom(0x45, 0x45, 0x46, 0x4f, 0x44, 0x55),
  fc.constantFrom([0, 0], [0x40, 0], [0x20, 0], [0, 1], [0x80, 0]),
  fc.constantFrom(1, 6, 17, 4, 41),
  fc.array(byte, { minLength: 30, maxLength: 70 }),
).map(([first, flags, protocol, rest]) => {
  const bytes = [first, ...rest];
  bytes.splice(6, 2, ...flags);
  bytes[9] = protocol;
  return bytes;
});

/** An IPv6 header with extension headers, at times as many as are walked and one more. */
const ipv6Bytes: fc.Arbitrary<number[]> = fc.tuple(
  fc.array(
    fc.tuple(
      fc.constantFrom(0, 43, 44, 51, 60, 135),
      fc.constantFrom(0, 0, 0, 1, 1, 2, 255),
    ),
    { maxLength: 4 },
  ),
  fc.constantFrom(0, 0, 0, 28, 30, 31, 32),
  fc.constantFrom(1, 6, 17, 58, 41, 4),
  fc.array(byte, { minLength: 40, maxLength: 60 }),
).map(([headers, more, protocol, rest]) => {
  const all = [...headers, ...new Array<[number, number]>(more).fill([60, 0])];
  const fixed = rest.slice(0, 40);
  fixed[0] = 0x60;
  fixed[6] = all[0]?.[0] ?? protocol;
  const bytes = [...fixed];
  all.forEach(([type, length], index) => {
    const sizeBytes = type === 44
      ? 8
      : type === 51
      ? (length + 2) * 4
      : (length + 1) * 8;
    const header = new Array<number>(sizeBytes).fill(1);
    header[0] = all[index + 1]?.[0] ?? protocol;
    header[1] = length;
    bytes.push(...header);
  });
  return [...bytes, ...rest.slice(40)];
});

const frameArbitrary: fc.Arbitrary<Uint8Array<ArrayBuffer>> = fc.tuple(
  fc.array(fc.oneof(ipv4Bytes, ipv6Bytes), { minLength: 1, maxLength: 3 }),
  fc.array(byte, { minLength: ETHERNET_BYTES, maxLength: ETHERNET_BYTES }),
  fc.nat(20),
).map(([headers, ethernet, cut]) => {
  const bytes = [...ethernet, ...headers.flat()];
  return Uint8Array.from(cut < 8 ? bytes.slice(0, bytes.length - cut) : bytes);
});

/** Where a value is taken from: one of the frames, as it is or a little off. */
interface Pick {
  readonly frame: number;
  readonly off: number;
}

interface NodeShape {
  readonly branches: readonly BranchShape[];
  readonly accept: AcceptShape | null;
}

interface AcceptShape {
  readonly silent: boolean;
  readonly children: NodeShape | null;
}

interface BranchShape {
  readonly kind: "switch" | "range" | "header" | "flows";
  readonly field: Field;
  readonly fields: readonly Field[];
  readonly cases: readonly {
    readonly pick: Pick;
    readonly then: NodeShape;
    readonly accept: AcceptShape;
  }[];
  /** Further exact values that lead to nothing but an accept. */
  readonly filler: number;
  readonly header: HeaderAtom;
  readonly bare: boolean;
}

const field: fc.Arbitrary<Field> = fc.tuple(
  fc.constantFrom("frame" as const, "base" as const),
  fc.oneof(fc.nat(20), fc.nat(70)),
  fc.constantFrom(1 as const, 2 as const, 4 as const),
  fc.constantFrom(0xffffffff, 0xffffffff, 0xf0f0f0f0, 0x03ffff03, 0x80000001),
).map(([from, offset, width, mask]) => {
  return { from, offset, width, mask: (mask % 2 ** (8 * width)) >>> 0 };
});

const pick: fc.Arbitrary<Pick> = fc.record({
  frame: fc.nat(3),
  off: fc.constantFrom(0, 0, 0, 1),
});

const header: fc.Arbitrary<HeaderAtom> = fc.tuple(
  fc.constantFrom("ipv4" as const, "ipv6" as const),
  fc.constantFrom(14, 14, 0, 0, 4),
  fc.constantFrom(undefined, undefined, 6, 17, 41),
  fc.constantFrom<FragmentClass>("any", "any", "whole", "fragment"),
).map(([op, offset, protocol, fragment]) => ({
  op,
  offset,
  ...given({ protocol }),
  fragment,
}));

const { node: shapeArbitrary } = fc.letrec<{
  node: NodeShape;
  branch: BranchShape;
  accept: AcceptShape;
}>((tie) => ({
  node: fc.record({
    branches: fc.oneof(
      { depthSize: "small", maxDepth: 5 },
      fc.constant([]),
      fc.array(tie("branch"), { minLength: 1, maxLength: 3 }),
    ),
    accept: fc.option(tie("accept"), { freq: 2 }),
  }),
  accept: fc.record({
    silent: fc.nat(5).map((value) => value === 0),
    children: fc.oneof(
      { depthSize: "small", maxDepth: 4 },
      fc.constant(null),
      tie("node"),
    ),
  }),
  branch: fc.record({
    kind: fc.constantFrom("switch", "range", "header", "header", "flows"),
    field,
    fields: fc.array(field, { minLength: 1, maxLength: 4 }),
    cases: fc.array(
      fc.record({ pick, then: tie("node"), accept: tie("accept") }),
      { minLength: 1, maxLength: 4 },
    ),
    filler: fc.constantFrom(0, 0, 3, 20, 40),
    header,
    bare: fc.boolean(),
  }),
}));

/** Trees with frames for them. */
export const treeArbitrary: fc.Arbitrary<TreeCase> = fc.tuple(
  fc.array(frameArbitrary, { minLength: 1, maxLength: 4 }),
  shapeArbitrary,
).map(([frames, shape]) => ({
  frames,
  tree: new Builder(frames).node(shape, frames.map(() => 0)),
}));

/** Makes a tree of a shape. `bases[i]` is where frame i's walk would be. */
class Builder {
  readonly #frames: readonly Uint8Array[];
  #slot = 0;

  constructor(frames: readonly Uint8Array[]) {
    this.#frames = frames;
  }

  node(shape: NodeShape, bases: readonly number[]): TreeNode {
    const branches = shape.branches.map((one) => this.#branch(one, bases));
    if (shape.accept === null) return { branches };
    return { branches, accept: this.#accept(shape.accept) };
  }

  #accept({ silent, children }: AcceptShape): Accept {
    const slot = silent ? 0 : ++this.#slot;
    if (children === null) return { slot };
    return { slot, children: this.node(children, this.#frames.map(() => 0)) };
  }

  #branch(shape: BranchShape, bases: readonly number[]): Branch {
    switch (shape.kind) {
      case "switch":
        return {
          kind: "switch",
          ...shape.field,
          cases: this.#cases(shape, bases),
        };
      case "range": {
        const { pick, then } = shape.cases[0]!;
        const low = this.#value(shape.field, pick, bases);
        const high = low + shape.filler;
        const { width } = shape.field;
        return {
          kind: "range",
          ...shape.field,
          low,
          high: Math.min(high, 2 ** (8 * width) - 1),
          then: this.node(then, bases),
        };
      }
      case "header": {
        const { header: atom, cases } = shape;
        const behind = this.#frames.map((frame, index) => {
          const start = bases[index]! + atom.offset;
          return readIpHeader(atom.op, frame, start)?.end ?? 0;
        });
        return {
          kind: "header",
          atom,
          then: this.node(cases[0]!.then, behind),
        };
      }
      case "flows":
        return this.#flows(shape, bases);
    }
  }

  #cases(
    shape: BranchShape,
    bases: readonly number[],
  ): { value: number; then: TreeNode }[] {
    const cases = new Map<number, TreeNode>();
    for (const { pick, then } of shape.cases) {
      const accept = this.#accept({ silent: false, children: null });
      cases.set(
        this.#value(shape.field, pick, bases),
        shape.bare ? { branches: [], accept } : this.node(then, bases),
      );
    }
    for (let index = 0; index < shape.filler; index++) {
      const value = (index * 0x01030507 & shape.field.mask) >>> 0;
      if (cases.has(value)) continue;
      const accept = this.#accept({ silent: index % 5 === 4, children: null });
      cases.set(value, { branches: [], accept });
    }
    return [...cases].map(([value, then]) => ({ value, then }))
      .sort((a, b) => a.value - b.value);
  }

  #flows(shape: BranchShape, bases: readonly number[]): Branch {
    const { fields } = shape;
    const entries = new Map<string, { key: number[]; accept: Accept }>();
    for (const { pick, accept } of shape.cases) {
      const key = fields.map((one) => this.#value(one, pick, bases));
      const plain = { silent: accept.silent, children: null };
      entries.set(key.join(), {
        key,
        accept: this.#accept(shape.bare ? plain : accept),
      });
    }
    for (let index = 0; index < shape.filler; index++) {
      const key = fields.map(({ mask }) => (index * 0x01030507 & mask) >>> 0);
      if (entries.has(key.join())) continue;
      const accept = this.#accept({ silent: index % 5 === 4, children: null });
      entries.set(key.join(), { key, accept });
    }
    const sorted = [...entries.values()].sort((a, b) => compare(a.key, b.key));
    return { kind: "flows", fields, entries: sorted };
  }

  /** What `pick`'s frame has there, masked; 0 where it ends before. */
  #value(field: Field, pick: Pick, bases: readonly number[]): number {
    const index = pick.frame % this.#frames.length;
    const frame = this.#frames[index]!;
    const at = field.offset + (field.from === "base" ? bases[index]! : 0);
    let value = 0;
    for (let next = at; next < at + field.width; next++) {
      value = value * 256 + (frame[next] ?? 0);
    }
    return (value + pick.off & field.mask) >>> 0;
  }
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}
