/** Interposes on a port. */

import type { Port } from "../../caps/port/port.ts";
import type { Delivery, Submission } from "../../caps/port/records.ts";
import { type Clock, makeRealClock } from "../runtime/clock.ts";
import type { Interposer } from "./interposer.ts";
import { type InterposedPort, Layer } from "./layer.ts";

/** The most interposers on one port. */
export const INTERPOSERS_MAX = 16;

/** Settings for all interposers of one port. */
export interface InterposeOptions {
  /** Makes a clock with a timer of its own, for each interposer; by default of real time. */
  readonly makeClock?: () => Clock;
}

/**
 * Puts interposers between the driver and the holder of `port`, the first
 * nearest to the driver. The holder cannot tell what it gets from `port`: messages
 * have the same form, tags mean the same, as many byte strings go round.
 *
 * @throws {RangeError} when there are none, or more than {@link INTERPOSERS_MAX}.
 */
export function interpose(
  port: Port<Submission, Delivery>,
  interposers: readonly Interposer[],
  options: InterposeOptions = {},
): InterposedPort {
  const { length } = interposers;
  if (length < 1 || length > INTERPOSERS_MAX) {
    throw new RangeError(
      `interpose: ${length} interposers; there must be 1 to ${INTERPOSERS_MAX}`,
    );
  }
  const makeClock = options.makeClock ?? makeRealClock;
  const [first, ...others] = interposers;
  return others.reduce(
    (inner, interposer) => new Layer(inner, interposer, makeClock()),
    new Layer(port, first!, makeClock()),
  );
}
