/** The real clock; simulations have their own. */

/** Microseconds of a monotonic clock. */
export type Instant = number;

/** "Not until something arrives." */
export const NEVER: Instant = Infinity;

/** A clock and one timer: powers that a runner is given. */
export interface Clock {
  /** Microseconds, monotonic. */
  now(): Instant;
  /** Calls `callback` at `at`, or as soon after as may be, in place of what was set before. Infinity: never. */
  wake(at: Instant, callback: () => void): void;
}

/** The longest delay that a timer takes; a longer one fires at once. */
const DELAY_MAX_MS = 0x7fffffff;

/** A clock of real time, with a timer of its own. */
export function makeRealClock(): Clock {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const now = () => performance.now() * 1000;
  return {
    now,
    wake(at, callback) {
      clearTimeout(timer);
      if (at === Infinity) return;
      const delayMs = Math.max(0, (at - now()) / 1000);
      timer = setTimeout(callback, Math.min(delayMs, DELAY_MAX_MS));
    },
  };
}
