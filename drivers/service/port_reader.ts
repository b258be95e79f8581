/** Reads the ports of all holders: a little from each in every turn, and less from those who guess tags. */

import type { Counts } from "../../caps/driver/accounts.ts";
import type { PortId } from "../../caps/kernel/kernel.ts";
import { DOORBELL } from "../../caps/port/trusted_ring.ts";
import { type Holder, MESSAGES_PER_TURN } from "./holder.ts";
import type { Turn } from "./meter.ts";
import type { Submitter } from "./submitter.ts";
import type { TrustedReturns } from "./trusted_returns.ts";

/**
 * What a flood counts for while its sender is kept waiting: its messages pile up
 * meanwhile, and it is cut off before they are many.
 */
const FLOOD_STRIKES = 64;

export interface PortReaderParts {
  readonly holders: ReadonlyMap<PortId, Holder>;
  readonly submitter: Submitter;
  readonly trustedReturns: TrustedReturns;
  readonly turn: Turn;
  /** Takes back the frames that the NIC has sent, which others can be sent in. */
  readonly reclaim: () => void;
  /** Called with a holder that is to be cut off, and what was refused of it by then. */
  readonly onCutOff: (holder: Holder, refusals: Counts) => void;
}

/** Reads the ports of all holders. */
export class PortReader {
  readonly #parts: PortReaderParts;
  /** When the first of those that are kept waiting is served again. */
  #resumesMs = Infinity;
  /** Frames that came back in rings in this turn. */
  #returns = 0;

  constructor(parts: PortReaderParts) {
    this.#parts = parts;
  }

  /**
   * Before the driver service sleeps: how long it may, at most `delayMs`. Those
   * that are kept waiting are served in time, and trusted holders ring from now on.
   */
  sleepMs(delayMs: number, nowMs: number): number {
    for (const { trusted } of this.#parts.holders.values()) {
      if (trusted !== undefined && !trusted.returns.sleep()) return 0;
    }
    return Math.max(0, Math.min(delayMs, this.#resumesMs - nowMs));
  }

  /** Takes what all holders have sent, as much as one turn allows. Returns how many messages. */
  drainAll(): number {
    const { nowMs } = this.#parts.turn;
    let messages = 0;
    this.#returns = 0;
    this.#resumesMs = Infinity;
    for (const holder of this.#parts.holders.values()) {
      const { penalty } = holder;
      if (!penalty.pauses(nowMs)) {
        messages += this.#serve(holder, nowMs);
      }
      if (penalty.pauses(nowMs)) {
        this.#resumesMs = Math.min(this.#resumesMs, penalty.untilMs);
      }
      const { overrun = false } = holder.port;
      if (holder.flooded || overrun) holder.refusals.add("flood");
      else if (!holder.tooManyStrikes) continue;
      this.#parts.onCutOff(holder, holder.refusals.snapshot());
    }
    return messages + this.#returns;
  }

  /** Takes what a holder has sent, as much as one turn allows. Returns how many messages. */
  drain(holder: Holder): number {
    const { port, limits, trusted } = holder;
    if (trusted !== undefined) {
      this.#returns += this.#parts.trustedReturns.take(holder, trusted);
    }
    const most = Math.min(MESSAGES_PER_TURN, limits.inFlightMax);
    let count = 0;
    for (; count < most; count++) {
      const message = port.take();
      if (message === undefined) break;
      // The ring was looked at, or will be in the next turn.
      if (message === DOORBELL && trusted !== undefined) continue;
      this.#parts.submitter.submit(holder, message);
      // A burst takes frames for one message at a time, where the NIC is quick.
      this.#parts.reclaim();
    }
    // Nothing went to it since the first one was taken: all of them were under way at once.
    if (count === limits.inFlightMax && port.take() !== undefined) {
      holder.flooded = true;
    }
    holder.returnSurplus();
    return count;
  }

  #serve(holder: Holder, nowMs: number): number {
    const slowed = holder.penalty.isSuspect(nowMs);
    const voids = holder.voids;
    const drained = this.drain(holder);
    // Interposers let go at once of what they held: that is nobody's fault.
    if (slowed && drained === MESSAGES_PER_TURN) {
      holder.strike("flood", FLOOD_STRIKES);
    }
    if (holder.voids > voids) holder.penalty.impose(nowMs);
    return drained;
  }
}
