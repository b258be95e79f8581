/** Schedules of faults for simulated worlds, which shrink to the few that matter. */

import fc from "fast-check";
import type { Arbitrary } from "./arbitrary.ts";
import type { Fault, FrameFault, PartyFault } from "../simulation/faults.ts";

/** Whom and what a schedule is about. */
export interface FaultScheduleOptions {
  /** The stations whose frames are at risk: hosts' names, `peer`, `test`. */
  readonly stations: readonly string[];
  /** The services and drivers that crash and stall; none by default. */
  readonly parties?: readonly string[];
  /** How many of a station's first frames are at risk; 20 by default. */
  readonly frames?: number;
  /** When the last crash or stall begins; 100 by default. */
  readonly withinMs?: number;
  /** The most faults in a schedule; 10 by default. */
  readonly faultsMax?: number;
}

/** The longest that one frame is late. */
const LATE_US_MAX = 5000;

/** The longest that a crash or a stall takes. */
const FAILURE_MS_MAX = 20;

const lateUs = fc.integer({ min: 1, max: LATE_US_MAX });

/** Faults of one frame, whichever it is; the harmless first, so that they shrink that way. */
const FRAME_FAULTS = fc.oneof(
  fc.record({ kind: fc.constant("loss" as const) }),
  fc.record({ kind: fc.constant("duplication" as const), lateUs }),
  fc.record({ kind: fc.constant("reordering" as const), lateUs }),
  fc.record({ kind: fc.constant("truncation" as const), bytes: fc.nat(1514) }),
  fc.record({
    kind: fc.constant("corruption" as const),
    bit: fc.oneof(fc.nat(8 * 64), fc.nat(8 * 1514)),
  }),
);

/** Faults of some frames, and of some parties where those are given. */
export function faultSchedule(
  options: FaultScheduleOptions,
): Arbitrary<Fault[]> {
  const { stations, parties = [] } = options;
  const kinds: fc.WeightedArbitrary<Fault>[] = [];
  if (stations.length > 0) {
    kinds.push({ weight: 3, arbitrary: frameFault(options) });
  }
  if (parties.length > 0) {
    kinds.push({ weight: 1, arbitrary: partyFault(parties, options) });
  }
  if (kinds.length === 0) return fc.constant([]);
  return fc.array(fc.oneof(...kinds), { maxLength: options.faultsMax ?? 10 });
}

function frameFault(
  { stations, frames = 20 }: FaultScheduleOptions,
): Arbitrary<FrameFault> {
  return fc.tuple(
    fc.constantFrom(...stations),
    fc.nat(frames - 1),
    FRAME_FAULTS,
  ).map(([from, frame, fault]) => ({ from, frame, ...fault }));
}

function partyFault(
  parties: readonly string[],
  { withinMs = 100 }: FaultScheduleOptions,
): Arbitrary<PartyFault> {
  return fc.record({
    kind: fc.constantFrom("stall" as const, "crash" as const),
    who: fc.constantFrom(...parties),
    atMs: fc.nat(withinMs),
    forMs: fc.integer({ min: 1, max: FAILURE_MS_MAX }),
  });
}
