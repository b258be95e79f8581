/** Frames that grants are about: witnesses of conjunctions, then mutated and cut anywhere. */

import fc from "fast-check";
import type { Arbitrary } from "./arbitrary.ts";
import type { Grant } from "../../services/filter/grant/grant.ts";
import { intersect } from "../../services/filter/grant/overlap.ts";
import type { GrantNode } from "../../services/filter/tree/merge.ts";
import { witness } from "./witness.ts";
import { conjunctionArbitrary } from "./grants.ts";

/** Frames for these grants: their own, their neighbours', and broken ones. */
export function framesFor(
  grants: readonly Grant[],
): Arbitrary<Uint8Array<ArrayBuffer>> {
  const conjunctions = grants.flat();
  const plain = conjunctions.length === 0
    ? conjunctionArbitrary.map(witness)
    : fc.oneof(
      { weight: 1, arbitrary: conjunctionArbitrary.map(witness) },
      {
        weight: 2,
        arbitrary: fc.constantFrom(...conjunctions).map(witness),
      },
      {
        weight: 2,
        arbitrary: fc.tuple(
          fc.constantFrom(...conjunctions),
          fc.constantFrom(...conjunctions),
        ).map(([a, b]) => witness(intersect(a, b) ?? a)),
      },
    );
  return fc.tuple(plain, fc.array(mutation, { maxLength: 3 })).map(
    ([frame, mutations]) =>
      Uint8Array.from(
        mutations.reduce((bytes, mutate) => mutate(bytes), [...frame]),
      ),
  );
}

/** All grants of a derivation tree. */
export function grantsOf(roots: readonly GrantNode[]): Grant[] {
  return roots.flatMap((node) => [node.grant, ...grantsOf(node.children)]);
}

type Mutation = (bytes: number[]) => number[];

/** Bytes with a meaning, and ones that are near them. */
const byte = fc.oneof(
  fc.nat(255),
  fc.constantFrom(0, 1, 6, 7, 8, 17, 20, 44, 51, 60, 64, 107, 115, 124, 135),
  fc.constantFrom(0x20, 0x3f, 0x40, 0x44, 0x46, 0x4f, 0x50, 0x60, 0xe0, 0xff),
);

/** Where types, versions, fragment bits, protocols and ports lie. */
const place = fc.oneof(
  fc.nat(70),
  fc.constantFrom(12, 13, 14, 16, 17, 18, 20, 21, 23, 24, 34, 35, 37, 54, 58),
);

const change: Arbitrary<Mutation> = fc.tuple(place, byte).map(
  ([at, value]) => (bytes) =>
    bytes.map((old, index) => index === at ? value : old),
);

const cut: Arbitrary<Mutation> = fc.nat(90).map(
  (length) => (bytes) => bytes.slice(0, length),
);

const grow: Arbitrary<Mutation> = fc.array(byte, { maxLength: 12 }).map(
  (more) => (bytes) => [...bytes, ...more],
);

const tag: Arbitrary<Mutation> = fc.constantFrom(
  [0x81, 0, 0, 7],
  [0x88, 0xa8, 0xe0, 8],
  [0x91, 0, 0, 7],
).map((inserted) => (bytes) =>
  bytes.length < 12
    ? bytes
    : [...bytes.slice(0, 12), ...inserted, ...bytes.slice(12)]
);

/** Options in an IPv4 header, at whichever place one starts. */
const options: Arbitrary<Mutation> = fc.tuple(fc.nat(10), byte).map(
  ([words, fill]) => (bytes) => {
    const start = bytes[14] === 0x45 ? 14 : bytes[18] === 0x45 ? 18 : -1;
    if (start < 0) return bytes;
    const grown = [...bytes];
    grown[start] = 0x45 + words;
    grown.splice(start + 20, 0, ...new Array<number>(words * 4).fill(fill));
    return grown;
  },
);

/** Extension headers in front of what an IPv6 header carries. */
const extensions: Arbitrary<Mutation> = fc.array(
  fc.tuple(fc.constantFrom(0, 43, 44, 51, 60, 135), fc.nat(2)),
  { maxLength: 4 },
).chain((some) => fc.constantFrom(some, Array(31).fill([60, 0]).concat(some)))
  .map((headers: [number, number][]) => (bytes) => {
    const start = bytes[14] === 0x60 ? 14 : bytes[18] === 0x60 ? 18 : -1;
    if (start < 0 || bytes.length < start + 40) return bytes;
    let next = bytes[start + 6]!;
    let body: number[] = bytes.slice(start + 40);
    for (const [type, words] of headers.toReversed()) {
      const size = type === 44
        ? 8
        : type === 51
        ? (words + 2) * 4
        : (words + 1) * 8;
      body = [next, words, ...new Array<number>(size - 2).fill(0), ...body];
      next = type;
    }
    const head = bytes.slice(0, start + 40);
    head[start + 6] = next;
    return [...head, ...body];
  });

const mutation: Arbitrary<Mutation> = fc.oneof(
  change,
  cut,
  grow,
  tag,
  options,
  extensions,
);
