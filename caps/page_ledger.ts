/**
 * Where every page is. A frame of packet memory is exactly one of
 *
 * - **free**: the driver's: idle, or in a NIC's receive ring;
 * - **lent**: posted to the holder of a capability;
 * - **in flight**: handed to the NIC for sending, not yet sent;
 * - **quarantined**: lent to a holder that is gone, so that nobody knows whether
 *   it still writes; it is free again when the page itself comes back.
 *
 * ```
 *            lend                    quarantine
 *   free ───────────► lent ──────────────────────► quarantined
 *    ▲ ▲               │ takeBack                        │ takeBack
 *    │ └───────────────┴─────────────────────────────────┘
 *    │ sent          send
 *    └───── in flight ◄──── free
 * ```
 *
 * The sum is constant; `check` proves it. Frames are tracked by index, never by
 * object: a holder can send back any buffer it likes.
 */

import type { PagesSnapshot } from "./accounts.ts";

const FREE = 0;
const LENT = 1;
const IN_FLIGHT = 2;
const QUARANTINED = 3;

/** Says that there is no frame. */
export const NO_FRAME = -1;

/** Keeps the state and the responsible slot of every frame. */
export class PageLedger {
  readonly #state: Uint8Array;
  readonly #slot: Uint32Array;
  readonly #idle: Uint32Array;
  #idleCount: number;
  readonly #counts = new Uint32Array(4);

  /** All of `frameCount` frames are free and idle. */
  constructor(frameCount: number) {
    this.#state = new Uint8Array(frameCount);
    this.#slot = new Uint32Array(frameCount);
    this.#idle = Uint32Array.from(
      { length: frameCount },
      (_, i) => frameCount - 1 - i,
    );
    this.#idleCount = frameCount;
    this.#counts[FREE] = frameCount;
  }

  /** Free frames that are in no ring. */
  get idleCount(): number {
    return this.#idleCount;
  }

  /** Takes an idle frame (it stays free), or NO_FRAME. */
  takeIdle(): number {
    if (this.#idleCount === 0) return NO_FRAME;
    return this.#idle[--this.#idleCount]!;
  }

  /** Puts back a free frame that is in no ring any more. */
  putIdle(frame: number): void {
    this.#expect(frame, FREE);
    if (this.#idleCount === this.#idle.length) {
      throw new Error("pages: a frame is idle twice");
    }
    this.#idle[this.#idleCount++] = frame;
  }

  /** free → lent, to the holder of `slot`. */
  lend(frame: number, slot: number): void {
    this.#expect(frame, FREE);
    this.#move(frame, LENT);
    this.#slot[frame] = slot;
  }

  /** The slot to whose holder `frame` is lent, or was when it died; 0 for none. */
  lentTo(frame: unknown): number {
    if (typeof frame !== "number") return 0;
    const state = this.#state[frame];
    return state === LENT || state === QUARANTINED ? this.#slot[frame]! : 0;
  }

  /** lent or quarantined → free. The frame is the caller's to put idle or to send. */
  takeBack(frame: number): void {
    const state = this.#state[frame];
    if (state !== LENT && state !== QUARANTINED) this.#expect(frame, LENT);
    this.#move(frame, FREE);
    this.#slot[frame] = 0;
  }

  /** free → in flight, at the cost of `slot`. */
  send(frame: number, slot: number): void {
    this.#expect(frame, FREE);
    this.#move(frame, IN_FLIGHT);
    this.#slot[frame] = slot;
  }

  /** in flight → free and idle. Returns the slot that paid for it. */
  sent(frame: number): number {
    this.#expect(frame, IN_FLIGHT);
    const slot = this.#slot[frame]!;
    this.#move(frame, FREE);
    this.#slot[frame] = 0;
    this.putIdle(frame);
    return slot;
  }

  /** lent → quarantined, for all that is lent for `slot`. Returns how many. */
  quarantine(slot: number): number {
    let count = 0;
    for (let frame = 0; frame < this.#state.length; frame++) {
      if (this.#state[frame] !== LENT || this.#slot[frame] !== slot) continue;
      this.#move(frame, QUARANTINED);
      count++;
    }
    return count;
  }

  /** Where the pages are now. */
  snapshot(): PagesSnapshot {
    return {
      total: this.#state.length,
      free: this.#counts[FREE]!,
      lent: this.#counts[LENT]!,
      inFlight: this.#counts[IN_FLIGHT]!,
      quarantined: this.#counts[QUARANTINED]!,
    };
  }

  /** Recounts everything; throws when a page was lost or is held twice. */
  check(): void {
    const counted = new Uint32Array(4);
    for (const state of this.#state) counted[state]!++;
    const idle = new Set(this.#idle.subarray(0, this.#idleCount));
    const same = counted.every((count, state) => count === this.#counts[state]);
    const idleFree = [...idle].every((frame) => this.#state[frame] === FREE);
    if (!same || idle.size !== this.#idleCount || !idleFree) {
      throw new Error(
        `pages are not conserved: ${JSON.stringify(this.snapshot())}`,
      );
    }
  }

  #move(frame: number, to: number): void {
    this.#counts[this.#state[frame]!]!--;
    this.#state[frame] = to;
    this.#counts[to]!++;
  }

  #expect(frame: number, state: number): void {
    if (this.#state[frame] === state) return;
    const names = ["free", "lent", "in flight", "quarantined"];
    throw new Error(
      `pages: frame ${frame} is ${
        names[this.#state[frame]!] ?? "unknown"
      }, not ${names[state]}`,
    );
  }
}
