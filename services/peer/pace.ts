/** When the next of a row of equal steps is due. */

import { type Instant, NEVER } from "../runtime/clock.ts";

/** Steps `intervalUs` apart; a few that were missed are made up for, not all. */
export class Pace {
  /** When the next step is due; never before {@link start}. */
  nextAt: Instant = NEVER;

  readonly #intervalUs: number;
  readonly #burst: number;

  /**
   * Steps `intervalUs` apart (Infinity for none), at most `burst` at a time.
   * @throws {RangeError} when the interval is not above 0, or the burst not a
   * whole number above 0.
   */
  constructor(intervalUs: number, burst: number) {
    if (!(intervalUs > 0)) {
      throw new RangeError(
        `pace: the interval is ${intervalUs} µs; it must be above 0`,
      );
    }
    if (!Number.isInteger(burst) || burst < 1) {
      throw new RangeError(
        `pace: the burst is ${burst}; it must be a whole number above 0`,
      );
    }
    this.#intervalUs = intervalUs;
    this.#burst = burst;
  }

  /** The first step is due at `now`; without effect when there are none. */
  start(now: Instant): void {
    this.nextAt = this.#intervalUs === Infinity ? NEVER : now;
  }

  /**
   * How many steps are to be taken now. {@link nextAt} is after `now` then: what
   * is missed beyond the burst is not made up for.
   */
  due(now: Instant): number {
    if (now < this.nextAt) return 0;
    const missed = Math.floor((now - this.nextAt) / this.#intervalUs) + 1;
    const steps = Math.min(missed, this.#burst);
    this.nextAt += missed * this.#intervalUs;
    // Rounding may leave it at `now`, where it would be due for ever.
    if (this.nextAt <= now) this.nextAt = now + this.#intervalUs;
    return steps;
  }
}
