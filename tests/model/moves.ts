/** What can be done to a capability system: plain data, drawn by fast-check. */

import fc from "fast-check";
import { given } from "../../caps/kernel/given.ts";
import type { Arbitrary } from "../arbitraries/arbitrary.ts";
import { FRAME_COUNT, type GrantPart, PORTS, type Text } from "./universe.ts";
import type { Nic } from "./nics.ts";
import type { Offload, Right } from "./terms.ts";

/** Who presents which tag. Numbers pick among what there is, counted round. */
export interface Presented {
  /** Who does: the holder; somebody, who may be the holder; or somebody with a tag that was guessed. */
  readonly by: "holder" | "anybody" | "guess";
  /** Which capability: of the live ones for a holder, of all that ever were for anybody. */
  readonly cap: number;
  /** Which holder, where it is not the capability's own. */
  readonly port: number;
}

/** One record of a message to the driver. */
export type RecordMove =
  /** Sends a frame; from a page, if it has one, where `inPage` says which. */
  | {
    readonly kind: "send";
    readonly frame: number;
    readonly inPage?: number;
    readonly offload?: Offload | undefined;
  }
  /** Gives a page back: one of its own, or anybody's. */
  | {
    readonly kind: "return";
    readonly page: number;
    readonly whose: "own" | "any";
  }
  | { readonly kind: "forge"; readonly how: number }
  | { readonly kind: "short" }
  | { readonly kind: "long" }
  | { readonly kind: "unreadable"; readonly how: number };

/** One thing that is done. */
export type Move =
  | {
    readonly op: "derive";
    readonly from: Presented;
    readonly grant: readonly GrantPart[];
    readonly residual?: Text | undefined;
    readonly sends?: readonly GrantPart[] | undefined;
    readonly rights: readonly Right[];
    readonly quotaPages: number;
    readonly copyBytesMax?: number | undefined;
    /** Which holder; the deriver itself where it is absent, none where it is -1. */
    readonly to?: number | undefined;
    /** In ticks of the clock. */
    readonly lifetime?: number | undefined;
  }
  | {
    readonly op: "delegate";
    readonly cap: Presented;
    readonly to: number;
    readonly rights?: readonly Right[] | undefined;
    readonly quotaPages?: number | undefined;
    readonly lifetime?: number | undefined;
  }
  | { readonly op: "elapse"; readonly ticks: number }
  | { readonly op: "close" | "revoke" | "drop"; readonly cap: Presented }
  | {
    readonly op: "crash";
    readonly port: number;
    /** What it sent a moment before, under one of its own. */
    readonly last?: Extract<Move, { op: "submit" }> | undefined;
  }
  | { readonly op: "receive"; readonly frames: readonly number[] }
  | {
    readonly op: "submit";
    readonly under: Presented;
    readonly records: readonly RecordMove[];
  }
  | { readonly op: "stall"; readonly stalled: boolean }
  /** The interface's MTU is changed: to one for short frames only, and back. */
  | { readonly op: "mtu"; readonly small: boolean }
  /** The driver and the filter service are started again. */
  | { readonly op: "restart" }
  /** Each is done before the ones before it have taken effect. */
  | { readonly op: "meet"; readonly moves: readonly Move[] }
  | {
    readonly op: "garbage";
    readonly port: number;
    readonly to: "filter" | "driver";
    readonly which: number;
  };

const pick = fc.nat(31);

/** In so many of ten cases; undefined in the others. */
function maybe<T>(
  ofTen: number,
  arbitrary: Arbitrary<T>,
): Arbitrary<T | undefined> {
  return fc.oneof(
    { weight: 10 - ofTen, arbitrary: fc.constant(undefined) },
    { weight: ofTen, arbitrary },
  );
}

const presented: Arbitrary<Presented> = fc.record({
  by: fc.constantFrom(
    ...["holder", "holder", "holder", "holder"] as const,
    ...["holder", "anybody", "anybody", "guess"] as const,
  ),
  cap: pick,
  port: pick,
});

const port = fc.nat(PORTS - 1);

const part: Arbitrary<GrantPart> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      host: fc.constantFrom(undefined, undefined, 0, 1),
      a: port,
      b: port,
    }).map(({ host, a, b }): GrantPart => ({
      ...given({ host }),
      low: Math.min(a, b),
      high: Math.max(a, b),
    })),
  },
  { weight: 1, arbitrary: fc.constantFrom("all", "arp") },
);

const grant = fc.array(part, { minLength: 1, maxLength: 2 });

const every: readonly Right[] = [
  "receive",
  "observe",
  "send",
  "derive",
  "delegate",
];

const rights: Arbitrary<readonly Right[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(every) },
  { weight: 1, arbitrary: fc.constant<Right[]>(["observe", "derive"]) },
  { weight: 1, arbitrary: fc.constant<Right[]>(["observe"]) },
  { weight: 2, arbitrary: fc.subarray([...every]) },
);

const quotaPages = fc.constantFrom(0, 1, 2, 2, 3, 4, 6, -1);

const to = fc.constantFrom(0, 0, 0, 1, 1, 1, 2, 2, 2, -1);

const lifetime = fc.constantFrom(...Array(12).fill(undefined), 0, 1, 2, 2, 3);

/** Capabilities derived, by their holders and by others. */
export const deriveMove: Arbitrary<Move> = fc.record({
  op: fc.constant("derive" as const),
  from: presented,
  grant,
  residual: maybe(1, fc.constantFrom<Text>("short", "host 1", "port 2")),
  sends: maybe(4, grant),
  rights,
  quotaPages,
  copyBytesMax: fc.constantFrom(undefined, 0, 0, 128),
  to: maybe(7, to),
  lifetime,
});

/** Delegates to another holder. */
export const delegateMove: Arbitrary<Move> = fc.record({
  op: fc.constant("delegate" as const),
  cap: presented,
  to,
  rights: maybe(5, rights),
  quotaPages: maybe(7, quotaPages),
  lifetime,
});

/** Capabilities closed, revoked and dropped. */
export const endMove: Arbitrary<Move> = fc.record({
  op: fc.constantFrom("close", "revoke", "drop"),
  cap: presented,
});

/** Frames that arrive. */
export const receiveMove: Arbitrary<Move> = fc.record({
  op: fc.constant("receive" as const),
  frames: fc.array(fc.nat(FRAME_COUNT - 1), { minLength: 1, maxLength: 4 }),
});

/** What a sender may ask for, or pretend: few segments, as many as a quota has pages, too many, and such as no wire takes. */
const offload: Arbitrary<Offload> = fc.record({
  checksum: fc.constantFrom(2, 2, 2, 0, 1, 9),
  gso: fc.constantFrom(3, 3, 0, 1, 2, 7),
  segmentBytes: fc.constantFrom(0, 0, 1, 30, 100, 100, 250, 1000, 4500, 65_535),
});

const send = {
  kind: fc.constant("send" as const),
  frame: fc.nat(FRAME_COUNT - 1),
  offload: maybe(5, offload),
};

const record: Arbitrary<RecordMove> = fc.oneof(
  { weight: 4, arbitrary: fc.record(send) },
  { weight: 2, arbitrary: fc.record({ ...send, inPage: pick }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("return" as const),
      page: pick,
      whose: fc.constantFrom("own", "own", "own", "any"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("forge" as const), how: pick }),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.constant({ kind: "short" as const }),
      fc.constant({ kind: "long" as const }),
      fc.record({ kind: fc.constant("unreadable" as const), how: pick }),
    ),
  },
);

const submission: Arbitrary<Extract<Move, { op: "submit" }>> = fc.record({
  op: fc.constant("submit" as const),
  under: presented,
  records: fc.array(record, { minLength: 1, maxLength: 4 }),
});

/** Messages to the driver: pages back, frames to send, and lies. */
export const submitMove: Arbitrary<Move> = submission;

/** Time that passes, holders that crash and are started again, NICs that stall or change, messages that make no sense. */
export const faultMove: Arbitrary<Move> = fc.oneof(
  fc.record({
    op: fc.constant("elapse" as const),
    ticks: fc.integer({ min: 1, max: 2 }),
  }),
  fc.record({
    op: fc.constant("crash" as const),
    port: pick,
    last: maybe(5, submission),
  }),
  fc.record({ op: fc.constant("stall" as const), stalled: fc.boolean() }),
  fc.record({ op: fc.constant("mtu" as const), small: fc.boolean() }),
  fc.record({
    op: fc.constant("garbage" as const),
    port: pick,
    to: fc.constantFrom("filter", "driver"),
    which: pick,
  }),
);

/** Orders, each given before the ones before it have taken effect; then frames that find that so. */
export const meetMove: Arbitrary<Move> = fc.record({
  op: fc.constant("meet" as const),
  moves: fc.tuple(
    fc.array(
      fc.oneof(
        { weight: 3, arbitrary: deriveMove },
        { weight: 1, arbitrary: delegateMove },
        { weight: 4, arbitrary: endMove },
        {
          weight: 1,
          arbitrary: fc.record({
            op: fc.constant("elapse" as const),
            ticks: fc.constant(1),
          }),
        },
        {
          weight: 1,
          arbitrary: fc.record({
            op: fc.constant("crash" as const),
            port: pick,
          }),
        },
      ),
      { minLength: 1, maxLength: 3 },
    ),
    fc.oneof(receiveMove, submitMove),
  ).map(([orders, last]) => [...orders, last]),
});

/** Any move, the usual ones more often. */
export const anyMove: Arbitrary<Move> = fc.oneof(
  { weight: 24, arbitrary: deriveMove },
  { weight: 8, arbitrary: delegateMove },
  { weight: 12, arbitrary: endMove },
  { weight: 24, arbitrary: receiveMove },
  { weight: 20, arbitrary: submitMove },
  { weight: 10, arbitrary: faultMove },
  { weight: 7, arbitrary: meetMove },
  { weight: 1, arbitrary: fc.constant<Move>({ op: "restart" }) },
);

/** A game's moves: usually some twenty. */
export function movesOf(
  move: Arbitrary<Move> = anyMove,
): Arbitrary<Move[]> {
  return fc.array(move, { minLength: 1, maxLength: 20, size: "max" });
}

/** A game's NIC. */
export const anyNic: Arbitrary<Nic> = fc.constantFrom(
  "pages",
  "pages",
  "pages",
  "extents",
  "offloads",
);
