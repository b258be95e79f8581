/** How a driver without a file descriptor waits: a timer, or somebody's wake. */

import { setImmediate } from "node:timers";

/** The longest delay that a timer takes; a longer one fires at once. */
const DELAY_MAX_MS = 0x7fffffff;

/** Waits under way, all ended by the same wake. */
export class IdleWait {
  readonly #ends = new Set<() => void>();

  /**
   * Resolves after `delayMs` or at {@link wake}. A delay of 0 is one turn of
   * the event loop (1.5 µs where a zero timeout costs 2 ms), so that ports and
   * timers are served even by a caller that never idles.
   */
  wait(delayMs: number): Promise<void> {
    if (!(delayMs > 0)) {
      return new Promise((resolve) => void setImmediate(resolve));
    }
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#ends.delete(end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(delayMs, DELAY_MAX_MS));
      this.#ends.add(end);
    });
  }

  /** Ends every wait that is under way. */
  wake(): void {
    for (const end of this.#ends) end();
  }
}
