/** The time of day, in microseconds, with the clock's adjustments. */

import type { CapturePacket } from "./packet.ts";

/** The most that the two clocks may differ before one is set by the other: `Date.now()` has whole milliseconds. */
const DIFFERENCE_MS_MAX = 2;

/** What tells the time: a monotonic clock, and one that is adjusted, in milliseconds. */
export interface Clocks {
  readonly monotonic: () => number;
  readonly adjusted: () => number;
}

const PROCESS_CLOCKS: Clocks = {
  monotonic: () => performance.now(),
  adjusted: () => Date.now(),
};

/**
 * Tells the time of day. `performance.timeOrigin` is that of the start: who adds
 * to it never learns that the clock was set.
 */
export class WallClock {
  readonly #clocks: Clocks;
  /** What is added to the monotonic clock. */
  #originMs: number;

  /** Tells the time by the process's clocks if none are given. */
  constructor(clocks: Clocks = PROCESS_CLOCKS) {
    this.#clocks = clocks;
    this.#originMs = clocks.adjusted() - clocks.monotonic();
  }

  /** Microseconds since 1970-01-01 UTC. */
  nowUs(): number {
    return this.atUs(this.#clocks.monotonic());
  }

  /** Microseconds since 1970-01-01 UTC of what was `monotonicMs` on the monotonic clock, lately. */
  atUs(monotonicMs: number): number {
    const { monotonic, adjusted } = this.#clocks;
    const originMs = adjusted() - monotonic();
    if (Math.abs(originMs - this.#originMs) > DIFFERENCE_MS_MAX) {
      this.#originMs = originMs;
    }
    return (this.#originMs + monotonicMs) * 1000;
  }
}

/** Sets a packet's time to `us`, in microseconds since 1970. */
export function setTime(
  packet: Pick<CapturePacket, "seconds" | "nanoseconds">,
  us: number,
): void {
  packet.seconds = Math.floor(us / 1e6);
  packet.nanoseconds = Math.floor(us - packet.seconds * 1e6) * 1000;
}
