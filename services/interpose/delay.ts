/** Delays frames. */

import { Tally } from "../../caps/driver/accounts.ts";
import type { Frame } from "../core/core.ts";
import type { Instant } from "../runtime/clock.ts";
import { Random, seedOf } from "../runtime/random.ts";
import type { Interposer, InterposerVerdict } from "./interposer.ts";

/** The longest delay. */
export const DELAY_MS_MAX = 60_000;

/** How long frames are held. */
export interface DelayOptions {
  /** Each way: 0 to {@link DELAY_MS_MAX}. */
  readonly delayMs: number;
  /**
   * Up to so much more, drawn for each frame, each microsecond as likely; by
   * default 0. Frames then overtake each other, as they do on a network.
   */
  readonly jitterMs?: number | undefined;
  /** Seed of the jitter; by default 1. */
  readonly seed?: number | undefined;
}

class Delayer implements Interposer {
  readonly name = "delay";
  readonly tally = new Tally();
  readonly #delayUs: number;
  readonly #jitterUs: number;
  readonly #deliveries: Random;
  readonly #submissions: Random;

  constructor({ delayMs, jitterMs = 0, seed = 1 }: DelayOptions) {
    for (const [name, ms] of Object.entries({ delayMs, jitterMs })) {
      if (!(ms >= 0 && ms <= DELAY_MS_MAX)) {
        throw new RangeError(
          `delay: ${name} is ${ms}; it must be from 0 to ${DELAY_MS_MAX}`,
        );
      }
    }
    this.#delayUs = delayMs * 1000;
    this.#jitterUs = Math.floor(jitterMs * 1000);
    this.#deliveries = new Random(seedOf(seed, 0));
    this.#submissions = new Random(seedOf(seed, 1));
  }

  deliver(_frame: Frame, now: Instant): InterposerVerdict {
    return this.#until(now, this.#deliveries);
  }

  submit(_frame: Frame, now: Instant): InterposerVerdict {
    return this.#until(now, this.#submissions);
  }

  #until(now: Instant, random: Random): Instant {
    this.tally.add("delayed");
    return now + this.#delayUs + random.between(0, this.#jitterUs);
  }
}

/**
 * Holds each frame for a while, both ways: a round trip takes twice as much
 * longer. A page that is held is the holder's: it counts against its quota.
 * @throws {RangeError} when a time is negative or too long.
 */
export function delay(options: DelayOptions): Interposer {
  return new Delayer(options);
}
