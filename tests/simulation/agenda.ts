/**
 * What lies ahead in a simulated world: events by time, and of one moment in the
 * order in which they were planned. A heap of moments, each with a list: to plan,
 * to cancel and to take cost the same however many timers there are, but for a
 * logarithm.
 */

import { type Expiring, ExpiryQueue } from "../../caps/kernel/expiry_queue.ts";
import type { Instant } from "../../services/runtime/clock.ts";

/** Cancelled events that a moment may keep besides as many as are to happen. */
const CANCELLED_MAX = 16;

/** Something that is to happen, until it has or was cancelled. */
interface Event {
  action: (() => void) | undefined;
}

/** All events of one time. */
class Moment implements Expiring {
  readonly expiresAtUs: Instant;
  queueIndex = -1;
  events: Event[] = [];
  /** Where the next one is looked for. */
  next = 0;
  /** Events that are yet to happen. */
  left = 0;

  constructor(at: Instant) {
    this.expiresAtUs = at;
  }

  /** Forgets what has happened or was cancelled, once that is most of the list. */
  compact(): void {
    if (this.events.length <= 2 * this.left + CANCELLED_MAX) return;
    this.events = this.events.filter(({ action }) => action !== undefined);
    this.next = 0;
  }
}

/** Events, the next one first. */
export class Agenda {
  readonly #queue = new ExpiryQueue<Moment>();
  readonly #moments = new Map<Instant, Moment>();
  #size = 0;

  /** How many events lie ahead. */
  get size(): number {
    return this.#size;
  }

  /** When the next event is; Infinity when there is none. */
  get nextAt(): Instant {
    return this.#queue.nextUs;
  }

  /** Puts an event behind those of the same time. Returns what cancels it. */
  add(at: Instant, action: () => void): () => void {
    let moment = this.#moments.get(at);
    if (moment === undefined) {
      moment = new Moment(at);
      this.#moments.set(at, moment);
      this.#queue.add(moment);
    }
    const event: Event = { action };
    moment.events.push(event);
    moment.left++;
    this.#size++;
    return () => {
      if (event.action === undefined) return;
      event.action = undefined;
      this.#removeOne(moment);
      moment.compact();
    };
  }

  /** Takes the next event. There is one. */
  take(): () => void {
    const moment = this.#queue.first!;
    for (;;) {
      const event = moment.events[moment.next++]!;
      const { action } = event;
      if (action === undefined) continue;
      event.action = undefined;
      this.#removeOne(moment);
      return action;
    }
  }

  #removeOne(moment: Moment): void {
    this.#size--;
    if (--moment.left > 0) return;
    this.#queue.remove(moment);
    this.#moments.delete(moment.expiresAtUs);
  }
}
