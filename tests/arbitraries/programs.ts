/**
 * Programs that no text need become, and packets for them: few places, few
 * numbers, so that comparisons meet each other and decide in both ways.
 */

import fc from "fast-check";
import {
  member,
  type Operator,
  type Program,
  type Test,
  type Value,
} from "../../services/filter/language/ir.ts";

const VARIABLES = 2;

/** Bytes that are lengths, headers' numbers and edges. */
const likelyByte = fc.constantFrom(0, 1, 2, 3, 6, 17, 43, 44, 51, 59, 60, 255);

const number = fc.oneof(
  fc.nat(4),
  fc.constantFrom(255, 256, 0xffff, 0xffffffff, 0x01000000, 31, 32),
);

const OPERATORS: readonly Operator[] = [
  "add",
  "sub",
  "mul",
  "div",
  "mod",
  "and",
  "and",
  "or",
  "xor",
  "lsh",
  "rsh",
];

const width = fc.constantFrom(1, 1, 2, 4);
const place = fc.oneof(
  { weight: 12, arbitrary: fc.nat(12) },
  { weight: 1, arbitrary: fc.constantFrom(0x7ffffffe, 0xfffffffe) },
);

const { test } = fc.letrec<{ value: Value; test: Test }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    number.map((value): Value => ({ kind: "constant", value })),
    fc.tuple(width, place).map(([width, offset]): Value => ({
      kind: "load",
      width: width as 1 | 2 | 4,
      base: undefined,
      offset,
    })),
    fc.constant<Value>({ kind: "length" }),
    fc.nat(VARIABLES - 1).map((variable): Value => ({
      kind: "variable",
      variable,
    })),
    fc.tuple(width, tie("value"), place).map((
      [width, base, offset],
    ): Value => ({
      kind: "load",
      width: width as 1 | 2 | 4,
      base,
      offset,
    })),
    fc.tuple(fc.constantFrom(...OPERATORS), tie("value"), tie("value")).map(
      ([operator, left, right]): Value => ({
        kind: "arithmetic",
        operator,
        left,
        right,
      }),
    ),
    tie("value").map((operand): Value => ({ kind: "negate", operand })),
  ),
  test: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.boolean().map((value): Test => ({ kind: "always", value })),
    fc.tuple(
      fc.constantFrom("=", "=", ">", ">=", "any-bit"),
      tie("value"),
      fc.oneof(
        number.map((value): Value => ({ kind: "constant", value })),
        tie("value"),
      ),
    ).map(([operator, left, right]): Test => ({
      kind: "compare",
      operator: operator as "=" | ">" | ">=" | "any-bit",
      left,
      right,
    })),
    fc.tuple(tie("value"), fc.array(number, { minLength: 1, maxLength: 12 }))
      .map(([value, numbers]) => member(value, numbers)),
    fc.tuple(fc.nat(VARIABLES - 1), tie("value")).map(
      ([variable, value]): Test => ({ kind: "assign", variable, value }),
    ),
    fc.tuple(fc.constantFrom(4, 6), fc.nat(4), fc.constantFrom(6, 59, 51, 300))
      .map(([version, offset, protocol]): Test => ({
        kind: "protochain",
        version: version as 4 | 6,
        offset,
        protocol,
      })),
    tie("test").map((inner): Test => ({ kind: "not", test: inner })),
    fc.tuple(
      fc.constantFrom("and" as const, "or" as const),
      fc.array(tie("test"), { minLength: 2, maxLength: 5 }),
    ).map(([kind, tests]): Test => ({ kind, tests })),
  ),
}));

/** A byte, alone or at a place that a variable or another byte says. */
const byte: fc.Arbitrary<Value> = fc.tuple(
  fc.constantFrom("fixed", "variable", "byte", "byte"),
  fc.nat(4),
  fc.nat(1),
).map(([kind, offset, from]): Value => {
  const load = { kind: "load", width: 1 } as const;
  const variable = from % VARIABLES;
  const base: Value | undefined = kind === "fixed"
    ? undefined
    : kind === "variable"
    ? { kind: "variable", variable }
    : { ...load, base: undefined, offset: from };
  return { ...load, base, offset };
});

const small: fc.Arbitrary<Value> = fc.nat(4).map((value) => ({
  kind: "constant",
  value,
}));

/** Programs that ask again and again about the same few values, and set variables between. */
const narrow: fc.Arbitrary<Test> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: byte },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constantFrom(...OPERATORS), byte, small).map(
        ([operator, left, right]): Value => ({
          kind: "arithmetic",
          operator,
          left,
          right,
        }),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.nat(VARIABLES - 1).map((variable): Value => ({
        kind: "variable",
        variable,
      })),
    },
  ),
  { minLength: 1, maxLength: 3 },
).chain((pool) => {
  const pooled = fc.constantFrom(...pool);
  const { all } = fc.letrec<{ all: Test }>((tie) => ({
    all: fc.oneof(
      { depthSize: "medium", withCrossShrink: true },
      {
        weight: 5,
        arbitrary: fc.tuple(
          fc.constantFrom("=" as const, ">" as const, ">=" as const),
          pooled,
          fc.oneof({ weight: 5, arbitrary: small }, {
            weight: 1,
            arbitrary: pooled,
          }),
        ).map(([operator, left, right]): Test => ({
          kind: "compare",
          operator,
          left,
          right,
        })),
      },
      {
        weight: 2,
        arbitrary: fc.tuple(
          pooled,
          fc.array(fc.nat(20), { minLength: 2, maxLength: 12 }),
        ).map(([value, numbers]) => member(value, numbers)),
      },
      {
        weight: 3,
        arbitrary: fc.tuple(
          fc.nat(VARIABLES - 1),
          fc.oneof(small, pooled, byte),
        )
          .map(([variable, value]): Test => ({
            kind: "assign",
            variable,
            value,
          })),
      },
      {
        weight: 1,
        arbitrary: tie("all").map((inner): Test => ({
          kind: "not",
          test: inner,
        })),
      },
      {
        weight: 6,
        arbitrary: fc.tuple(
          fc.constantFrom("and" as const, "or" as const),
          fc.array(tie("all"), { minLength: 2, maxLength: 5 }),
        ).map(([kind, tests]): Test => ({ kind, tests })),
      },
    ),
  }));
  return all;
});

/** Any program, of link type Ethernet. */
export const programArbitrary: fc.Arbitrary<Program> = fc.oneof(
  test,
  narrow,
  narrow,
).map((test) => ({ linkType: "ethernet", test, variables: VARIABLES }));

/** Packets of likely bytes, some of only the least. */
export const likelyPacket: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.array(likelyByte, { maxLength: 80 }),
  fc.array(fc.nat(4), { maxLength: 12 }),
  fc.array(fc.nat(4), { maxLength: 12 }),
).map((bytes) => Uint8Array.from(bytes));
