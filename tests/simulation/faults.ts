/**
 * What goes wrong in a simulated world, and when: a schedule that one can read,
 * shrink and write into a test, or rates by which such a schedule is drawn from
 * the world's seed.
 */

import type { WireFaults } from "../../caps/driver/wire_faults.ts";
import { Random, seedOf } from "../../services/runtime/random.ts";

/** A fault of one frame: the `frame`th, from 0, that station `from` sends. */
export type FrameFault =
  & {
    /** The station that sends it: a host, `peer`, or `test` for {@link World.send}. */
    readonly from: string;
    /** Number of the frame among all that the station sends, from 0. */
    readonly frame: number;
  }
  & (
    /** Lost. */
    | { readonly kind: "loss" }
    /** Delivered once more, so much later. */
    | { readonly kind: "duplication"; readonly lateUs: number }
    /** Delivered so much later: what is sent in the meantime overtakes it. */
    | { readonly kind: "reordering"; readonly lateUs: number }
    /** One bit of it is turned: this one, counted round and round. */
    | { readonly kind: "corruption"; readonly bit: number }
    /** Cut short by so many bytes, and one more; counted round and round, so that one byte is left at least. */
    | { readonly kind: "truncation"; readonly bytes: number }
  );

/** A fault of a service, or of a driver: the party `who`. */
export interface PartyFault {
  /**
   * `stall`: it does nothing for so long, and then goes on. `crash`: it is terminated,
   * with all that it knew and held, and starts afresh after so long; a driver
   * takes every service of its host with it.
   */
  readonly kind: "stall" | "crash";
  /** A service's name, or `driver`; behind its host's name and a slash where hosts were named. */
  readonly who: string;
  /** When, in milliseconds. */
  readonly atMs: number;
  /** For how long, in milliseconds. */
  readonly forMs: number;
}

/** One fault. */
export type Fault = FrameFault | PartyFault;

/** Which faults a world has. */
export interface FaultPlan {
  /** Faults that are given, each for one frame. */
  readonly schedule?: readonly Fault[];
  /** And, of every frame, these, as often as is said; drawn from the seed. */
  readonly rates?: WireFaults;
  /** Crashes of each party in a second, in the mean. */
  readonly crashesPerSecond?: number;
  /** Stalls of each party in a second, in the mean. */
  readonly stallsPerSecond?: number;
  /** When the last of those that are drawn begins; needed for crashes and stalls. */
  readonly untilMs?: number;
}

/** Whether a fault is one of a frame. */
export function isFrameFault(fault: Fault): fault is FrameFault {
  return "frame" in fault;
}

/** The longest that a drawn fault makes a frame late. */
const LATE_US_MAX = 2000;

/** The longest that a drawn crash or stall takes. */
const FAILURE_MS_MAX = 20;

/** Draws one kind of a frame's faults. */
type Draw = (random: Random) => Pick<FrameFault, "kind">;

const lateUs = (random: Random) => random.between(1, LATE_US_MAX);

/** In this order: what is drawn for one kind never moves another. */
const DRAWS: readonly (readonly [keyof WireFaults, Draw])[] = [
  ["truncation", (r) => ({ kind: "truncation", bytes: r.below(64) })],
  ["corruption", (r) => ({ kind: "corruption", bit: r.below(65536) })],
  ["duplication", (r) => ({ kind: "duplication", lateUs: lateUs(r) })],
  ["reordering", (r) => ({ kind: "reordering", lateUs: lateUs(r) })],
  ["loss", () => ({ kind: "loss" })],
];

/** Finds the faults of each frame. */
export class FrameFaults {
  readonly #scheduled = new Map<string, FrameFault[]>();
  readonly #rates: WireFaults;
  readonly #untilUs: number;
  readonly #seed: number;

  /** @throws {RangeError} when a rate is not from 0 to 1. */
  constructor(seed: number, plan: FaultPlan) {
    this.#seed = seed;
    this.#rates = plan.rates ?? {};
    this.#untilUs = (plan.untilMs ?? Infinity) * 1000;
    for (const [kind] of DRAWS) {
      const rate = this.#rates[kind] ?? 0;
      if (rate >= 0 && rate <= 1) continue;
      throw new RangeError(
        `faults: ${kind} is ${rate}; a rate goes from 0 (never) to 1 (always)`,
      );
    }
    for (const fault of plan.schedule ?? []) {
      if (!isFrameFault(fault)) continue;
      const key = `${fault.from} ${fault.frame}`;
      this.#scheduled.set(key, [...this.#scheduled.get(key) ?? [], fault]);
    }
  }

  /** Faults of frame number `frame` of station `from`, which is sent at `nowUs`. */
  of(from: string, frame: number, nowUs: number): readonly FrameFault[] {
    const scheduled = this.#scheduled.get(`${from} ${frame}`) ?? [];
    if (nowUs > this.#untilUs) return scheduled;
    const random = new Random(seedOf(this.#seed ^ hashOf(from), frame));
    const drawn: FrameFault[] = [];
    for (const [kind, draw] of DRAWS) {
      const happens = random.chance(this.#rates[kind] ?? 0);
      const fault = draw(random);
      if (happens) drawn.push({ from, frame, ...fault } as FrameFault);
    }
    return [...scheduled, ...drawn];
  }
}

/**
 * The crashes and stalls of a plan: those that are scheduled, and those that are
 * drawn for `parties`.
 * @throws {RangeError} when some are to be drawn and it is not said until when.
 */
export function partyFaults(
  seed: number,
  plan: FaultPlan,
  parties: readonly string[],
): PartyFault[] {
  const { crashesPerSecond = 0, stallsPerSecond = 0, untilMs } = plan;
  const scheduled = (plan.schedule ?? []).filter((fault) =>
    !isFrameFault(fault)
  );
  if (crashesPerSecond === 0 && stallsPerSecond === 0) return scheduled;
  if (untilMs === undefined) {
    throw new RangeError(
      "faults: crashesPerSecond and stallsPerSecond need untilMs: when the last one begins",
    );
  }
  const drawn: PartyFault[] = [];
  for (const who of parties) {
    const random = new Random(seedOf(seed, hashOf(who)));
    const draw = (kind: PartyFault["kind"], perSecond: number) => {
      const mean = perSecond * untilMs / 1000;
      const count = Math.floor(mean) + (random.chance(mean % 1) ? 1 : 0);
      for (let i = 0; i < count; i++) {
        const atMs = random.below(Math.floor(untilMs) + 1);
        drawn.push({
          kind,
          who,
          atMs,
          forMs: random.between(1, FAILURE_MS_MAX),
        });
      }
    };
    draw("crash", crashesPerSecond);
    draw("stall", stallsPerSecond);
  }
  return [...scheduled, ...drawn];
}

/** A number of 32 bits for a name. */
function hashOf(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash, 31) + name.charCodeAt(i) | 0;
  }
  return hash;
}
