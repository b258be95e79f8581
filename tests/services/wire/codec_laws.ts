/** The two laws that hold for each codec of services/wire. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { anyFrame, flipped, truncated } from "../../arbitraries/frames.ts";
import { testProperty } from "../../property.ts";

/** A codec, as the laws see it. */
export interface Codec<Repr> {
  /** For the tests' names. */
  readonly name: string;
  readonly reprs: fc.Arbitrary<Repr>;
  readonly parse: (
    bytes: Uint8Array,
    start: number,
    end: number,
  ) => Repr | string;
  readonly emit: (repr: Repr, bytes: Uint8Array, at: number) => number;
  readonly size: (repr: Repr) => number;
  /** Bytes that must lie behind what is emitted for it to be whole. */
  readonly behind?: (repr: Repr) => number;
}

/** Registers the laws for `codec`; `file` is the test file's URL. */
export function testCodec<Repr>(codec: Codec<Repr>, file: string): void {
  const { name, reprs, parse, emit, size } = codec;
  const behind = codec.behind ?? (() => 0);

  testProperty(
    `${name}: parse(emit(x)) = x, at any offset, and nothing else is written`,
    { runs: 500, file },
    fc.property(reprs, fc.integer({ min: 0, max: 9 }), (repr, at) => {
      const bytes = new Uint8Array(at + size(repr) + behind(repr) + 5);
      bytes.fill(0xa5);
      assert.equal(emit(repr, bytes, at), size(repr));
      const end = at + size(repr) + behind(repr);
      assert.deepEqual(plain(parse(bytes, at, end)), plain(repr));
      assert.ok(bytes.subarray(0, at).every((byte) => byte === 0xa5));
      assert.ok(
        bytes.subarray(at + size(repr)).every((byte) => byte === 0xa5),
      );
    }),
  );

  testProperty(
    `${name}: emit() refuses a buffer that is a byte too short`,
    { runs: 100, file },
    fc.property(reprs, (repr) => {
      assert.throws(
        () => emit(repr, new Uint8Array(size(repr) - 1), 0),
        RangeError,
      );
    }),
  );

  const emitted = reprs.map((repr) => {
    const bytes = new Uint8Array(size(repr) + behind(repr));
    emit(repr, bytes, 0);
    return bytes;
  });
  const inputs = fc.oneof(
    anyFrame(),
    emitted,
    truncated(emitted),
    flipped(emitted),
  );
  const surroundings = fc.uint8Array({ minLength: 80, maxLength: 80 });
  testProperty(
    `${name}: parse() never throws, and what lies around the bytes does not matter`,
    { runs: 1000, file },
    fc.property(inputs, surroundings, surroundings, (bytes, one, other) => {
      const expected = plain(parse(bytes, 0, bytes.length));
      for (const around of [one, other]) {
        const buffer = new Uint8Array(bytes.length + 80);
        buffer.set(around.subarray(0, 40));
        buffer.set(bytes, 40);
        buffer.set(around.subarray(40), 40 + bytes.length);
        const parsed = parse(buffer, 40, 40 + bytes.length);
        assert.deepEqual(plain(parsed), expected);
      }
    }),
  );

  testProperty(
    `${name}: parse() refuses every proper prefix of what was emitted as truncated`,
    { runs: 200, file },
    fc.property(emitted, fc.nat(), (bytes, cut) => {
      fc.pre(bytes.length > 0);
      assert.equal(parse(bytes, 0, cut % bytes.length), "truncated");
    }),
  );
}

/** `value` with byte arrays as texts, so that a view equals a copy. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${[...value].join(" ")}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, plain(part)]),
  );
}
