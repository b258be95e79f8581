/**
 * The clock of a process whose turns begin with a message: its timers run at the
 * end of a turn, and whoever sends the messages is told when the next one is due.
 */

import { type Alarm, Alarms } from "../alarms.ts";
import { type Clock, type Instant, NEVER } from "../clock.ts";

/** One clock, many timers, none of them the runtime's. */
export class TurnClock implements Clock {
  /** When the next timer is due. */
  nextUs: Instant = NEVER;
  #ring: () => void = () => {};
  readonly #alarms: Alarms;
  #alarm: Alarm | undefined;

  constructor() {
    this.#alarms = new Alarms({
      now: () => this.now(),
      wake: (at, callback) => {
        this.nextUs = at;
        this.#ring = callback;
      },
    });
  }

  /** Microseconds, monotonic. */
  now(): Instant {
    return performance.now() * 1000;
  }

  /** The runner's own timer. */
  wake(at: Instant, callback: () => void): void {
    if (this.#alarm !== undefined) this.#alarms.cancel(this.#alarm);
    this.#alarm = at === NEVER ? undefined : this.#alarms.set(at, () => {
      this.#alarm = undefined;
      callback();
    });
  }

  /** Has the timers ring that are due. */
  run(): void {
    if (this.nextUs <= this.now()) this.#ring();
  }

  /** Puts timers of this clock in place of the runtime's, which would never go off. */
  replaceTimers(scope: object): void {
    const alarms = this.#alarms;
    const set = (repeats: boolean) =>
    (
      callback: (...given: unknown[]) => void,
      delayMs = 0,
      ...given: unknown[]
    ) => {
      const ring = () => {
        if (repeats) timer.alarm = alarms.after(Math.max(1, delayMs), ring);
        callback(...given);
      };
      const timer = { alarm: alarms.after(delayMs, ring) };
      return timer;
    };
    const clear = (timer?: { readonly alarm: Alarm }) => {
      if (timer !== undefined) alarms.cancel(timer.alarm);
    };
    Object.assign(scope, {
      setTimeout: set(false),
      setInterval: set(true),
      clearTimeout: clear,
      clearInterval: clear,
    });
  }
}
