/** Many alarms on a clock that has one timer. */

import { type Expiring, ExpiryQueue } from "../../caps/kernel/expiry_queue.ts";
import type { Clock, Instant } from "./clock.ts";

/** One alarm that was set. */
export interface Alarm extends Expiring {
  /** What happens then. */
  readonly ring: () => void;
}

/** Alarms, each of which rings once. */
export class Alarms implements Disposable {
  readonly #clock: Clock;
  readonly #queue = new ExpiryQueue<Alarm>();
  #silent = false;

  /** `clock` is theirs alone from now on, so far as its timer goes. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `ring` at `atUs`, or as soon after as may be. */
  set(atUs: Instant, ring: () => void): Alarm {
    const alarm = { expiresAtUs: atUs, queueIndex: -1, ring };
    this.#queue.add(alarm);
    this.#arm();
    return alarm;
  }

  /** Calls `ring` in `delayMs`. */
  after(delayMs: number, ring: () => void): Alarm {
    return this.set(this.#clock.now() + delayMs * 1000, ring);
  }

  /** An alarm is not to ring any more. */
  cancel(alarm: Alarm): void {
    this.#queue.remove(alarm);
    this.#arm();
  }

  /** None rings any more. */
  [Symbol.dispose](): void {
    this.#clock.wake(Infinity, () => {});
    this.#silent = true;
  }

  #arm(): void {
    if (this.#silent) return;
    this.#clock.wake(this.#queue.nextUs, () => this.#ring());
  }

  #ring(): void {
    const nowUs = this.#clock.now();
    // A timer may fire early: what is not due is waited for again.
    while (this.#queue.nextUs <= nowUs) {
      const alarm = this.#queue.first!;
      this.#queue.remove(alarm);
      alarm.ring();
    }
    this.#arm();
  }
}
