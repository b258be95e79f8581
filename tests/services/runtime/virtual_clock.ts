/** A clock that goes on when the test says so. */

import type { Clock } from "../../../services/runtime/clock.ts";

/** Time that stands still but for {@link advance}. */
export class VirtualClock implements Clock {
  #nowUs = 0;
  #wakeUs = Infinity;
  #callback: () => void = () => {};

  now(): number {
    return this.#nowUs;
  }

  wake(at: number, callback: () => void): void {
    this.#wakeUs = at;
    this.#callback = callback;
  }

  /** Goes on by `delayMs`, and stops on the way wherever a timer was set. */
  advance(delayMs: number): void {
    const untilUs = this.#nowUs + delayMs * 1000;
    while (this.#wakeUs <= untilUs) {
      this.#nowUs = Math.max(this.#nowUs, this.#wakeUs);
      this.#wakeUs = Infinity;
      this.#callback();
    }
    this.#nowUs = untilUs;
  }
}
