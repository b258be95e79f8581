/** What happened in a simulated world, for people and for comparing. */

import type { Instant } from "../../services/runtime/clock.ts";
import { describeFrame } from "../../services/wire/describe.ts";

/** One thing that happened. */
export interface TraceEvent {
  /** When, in microseconds since the beginning. */
  readonly atUs: Instant;
  /** To whom: a station, a service, `driver` or `wire`. */
  readonly who: string;
  /** What, in words. */
  readonly what: string;
}

/** Events that one world keeps. */
const EVENTS_MAX = 1_000_000;

/** Writes events down. */
export class Trace {
  /** All of them, the first one first. */
  readonly events: TraceEvent[] = [];
  readonly #now: () => Instant;

  /** Takes the time from `now`. */
  constructor(now: () => Instant) {
    this.#now = now;
  }

  /** Something happened to `who`. */
  add(who: string, what: string): void {
    if (this.events.length === EVENTS_MAX) {
      throw new Error(`world: more than ${EVENTS_MAX} events; run it shorter`);
    }
    this.events.push({ atUs: this.#now(), who, what });
  }
}

/** A frame in words, with a number that tells it from others of the same words. */
export function nameFrame(bytes: Uint8Array): string {
  const print = fingerprint(bytes).toString(16).padStart(8, "0");
  return `${describeFrame(bytes, 0, bytes.length)} [${print}]`;
}

/** FNV-1a over the bytes, 32 bits. */
function fingerprint(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/**
 * Events as lines: the time in milliseconds, who, what.
 *
 * ```
 *      12.050 peer         sends #3 IP 10.77.0.1 > 10.77.0.2: ICMP echo request …
 * ```
 */
export function formatTrace(events: readonly TraceEvent[]): string {
  return events.map(({ atUs, who, what }) =>
    `${(atUs / 1000).toFixed(3).padStart(11)} ${who.padEnd(12)} ${what}\n`
  ).join("");
}
