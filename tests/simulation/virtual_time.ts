/**
 * Time that passes only when it is told to: an agenda of events, and a clock.
 * Events of one moment happen in the order in which they were put down.
 */

import type { Clock, Instant } from "../../services/runtime/clock.ts";
import { Agenda } from "./agenda.ts";

/** Events that may lie ahead at once. */
const AGENDA_MAX = 100_000;

/** Events at one moment: more, and time would never go on. */
const EVENTS_AT_ONCE_MAX = 10_000;

/** A clock that stands still between events. */
export class VirtualTime {
  #now: Instant = 0;
  readonly #agenda = new Agenda();
  #eventsNow = 0;

  /** Microseconds since the beginning. */
  get now(): Instant {
    return this.#now;
  }

  /** When the next event is; Infinity when there is none. */
  get nextAt(): Instant {
    return this.#agenda.nextAt;
  }

  /** Has `action` happen at `at`, or now when that has passed. Returns what takes it off again. */
  plan(at: Instant, action: () => void): () => void {
    if (Number.isNaN(at)) throw new RangeError("world: a wake-up at NaN");
    if (at === Infinity) return () => {};
    if (this.#agenda.size === AGENDA_MAX) {
      throw new Error(`world: more than ${AGENDA_MAX} events lie ahead`);
    }
    return this.#agenda.add(Math.max(at, this.#now), action);
  }

  /** Goes on to the next event, and has it happen. There is one. */
  step(): void {
    const at = this.#agenda.nextAt;
    const action = this.#agenda.take();
    if (at > this.#now) this.#eventsNow = 0;
    if (++this.#eventsNow > EVENTS_AT_ONCE_MAX) {
      throw new Error(
        `world: more than ${EVENTS_AT_ONCE_MAX} events at ${this.#now} µs; does a core's wakeAt stay at a time that has come?`,
      );
    }
    this.#now = at;
    action();
  }

  /** Goes on to `at`, before which nothing happens. */
  advance(at: Instant): void {
    if (at > this.#now) this.#eventsNow = 0;
    this.#now = Math.max(this.#now, at);
  }

  /** A clock of this time, with a timer of its own. */
  makeClock(): Clock {
    let cancel = () => {};
    return {
      now: () => this.#now,
      wake: (at, callback) => {
        cancel();
        cancel = this.plan(at, callback);
      },
    };
  }
}
