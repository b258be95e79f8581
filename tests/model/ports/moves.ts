/** What can be done with ports between services: plain data, drawn by fast-check. */

import fc from "fast-check";
import type { AnswererForgery, Asker, AskerForgery, Service } from "./terms.ts";

/** One thing that is done. */
export type PortMove =
  | {
    readonly op: "ask";
    readonly by: Asker;
    readonly values: readonly number[];
  }
  | { readonly op: "answer"; readonly to: Asker; readonly isDeclined: boolean }
  | {
    readonly op: "push";
    readonly count: number;
    readonly to: Asker | undefined;
  }
  | { readonly op: "stall"; readonly who: Asker; readonly stalled: boolean }
  | { readonly op: "elapse"; readonly ms: number }
  | { readonly op: "restart"; readonly who: Service }
  | {
    readonly op: "forge-to-answerer";
    readonly by: Asker;
    readonly how: AskerForgery;
    readonly times: number;
  }
  | {
    readonly op: "forge-to-asker";
    readonly to: Asker;
    readonly how: AnswererForgery;
    readonly times: number;
  };

const asker = fc.constantFrom<Asker>("a", "c");
const times = fc.constantFrom(1, 1, 2, 31, 64);
const value = fc.nat(63);

/** Any move. */
export const anyPortMove: fc.Arbitrary<PortMove> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant("ask" as const),
      by: asker,
      values: fc.oneof(
        fc.array(value, { minLength: 1, maxLength: 4 }),
        fc.array(value, { minLength: 60, maxLength: 70 }),
        // Nobody answers these for a while.
        fc.integer({ min: 1, max: 70 }).map((length) => Array(length).fill(3)),
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant("answer" as const),
      to: asker,
      isDeclined: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant("push" as const),
      count: fc.constantFrom(1, 2, 31, 32, 33, 64, 65),
      to: fc.option(asker, { nil: undefined }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("stall" as const),
      who: asker,
      stalled: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("elapse" as const),
      ms: fc.constantFrom(1, 4999, 5000, 5001),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("restart" as const),
      who: fc.constantFrom<Service>("a", "b", "c"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("forge-to-answerer" as const),
      by: asker,
      how: fc.constantFrom<AskerForgery>(
        "garbage",
        "torn",
        "wrong-kind",
        "bad-body",
        "flood",
      ),
      times,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("forge-to-asker" as const),
      to: asker,
      how: fc.constantFrom<AnswererForgery>(
        "garbage",
        "torn",
        "wrong-kind",
        "unasked",
        "bad-answer",
        "lie",
        "flood",
      ),
      times,
    }),
  },
);
