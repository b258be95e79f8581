/**
 * Where every page is. A frame of packet memory is exactly one of
 *
 * - **free**: the driver's: idle, or in a NIC's receive ring;
 * - **lent**: posted to the holder of a capability;
 * - **in flight**: handed to the NIC for sending, not yet sent;
 * - **quarantined**: lent to a holder that was terminated, so that nobody knows
 *   whether it still writes; free again when the page itself comes back.
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
 * object: a holder can send back any buffer it likes. An extent goes round as
 * one, under the number of its first frame, and counts as all of its frames.
 */

import { IdleFrames, NO_FRAME } from "./idle_frames.ts";
import { EXTENT_PAGES } from "./memory.ts";

const FREE = 0;
const LENT = 1;
const IN_FLIGHT = 2;
const QUARANTINED = 3;

export { NO_FRAME };

/** Keeps the state and the responsible slot of every frame. */
export class PageLedger {
  readonly #state: Uint8Array;
  readonly #slot: Uint32Array;
  readonly #counts = new Uint32Array(4);
  readonly #idle: IdleFrames;
  /** The first frames of idle extents. */
  readonly #idleExtents: number[] = [];
  /** Where the extents begin. */
  readonly #extentsFrom: number;

  /** All of `frameCount` frames are free and idle; the last of them are `extentCount` extents. */
  constructor(frameCount: number, extentCount: number = 0) {
    this.#state = new Uint8Array(frameCount);
    this.#slot = new Uint32Array(frameCount);
    this.#extentsFrom = frameCount - extentCount * EXTENT_PAGES;
    this.#idle = new IdleFrames(this.#extentsFrom);
    for (let i = extentCount - 1; i >= 0; i--) {
      this.#idleExtents.push(this.#extentsFrom + i * EXTENT_PAGES);
    }
    this.#counts[FREE] = frameCount;
  }

  /** Free single frames that are in no ring. */
  get idleCount(): number {
    return this.#idle.count;
  }

  /** Free extents that are in no ring. */
  get idleExtentCount(): number {
    return this.#idleExtents.length;
  }

  /** Pages of what goes under the number `frame`: one, or an extent's. */
  pagesOf(frame: number): number {
    return frame < this.#extentsFrom ? 1 : EXTENT_PAGES;
  }

  /** Whether `frame` is a number under which something goes: not the middle of an extent. */
  isFirst(frame: number): boolean {
    return frame < this.#extentsFrom ||
      (frame - this.#extentsFrom) % EXTENT_PAGES === 0;
  }

  /** Takes an idle frame (it stays free), or NO_FRAME. */
  takeIdle(): number {
    return this.#idle.take();
  }

  /** Takes an idle extent (it stays free): its first frame, or NO_FRAME. */
  takeIdleExtent(): number {
    return this.#idleExtents.pop() ?? NO_FRAME;
  }

  /** Puts back a free frame, or an extent, that is in no ring any more. */
  putIdle(frame: number): void {
    this.#expect(frame, FREE);
    if (frame < this.#extentsFrom) this.#idle.put(frame);
    else this.#idleExtents.push(frame);
  }

  /**
   * free → lent, to the holder of `slot`: `pages` frames side by side from
   * `frame` on.
   */
  lend(frame: number, slot: number, pages: number = this.pagesOf(frame)): void {
    for (let at = frame; at < frame + pages; at++) {
      this.#expect(at, FREE);
      this.#move(at, LENT);
      this.#slot[at] = slot;
    }
  }

  /** The slot to whose holder `frame` is lent, or was when it died; 0 for none. */
  lentTo(frame: unknown): number {
    if (typeof frame !== "number") return 0;
    const state = this.#state[frame];
    return state === LENT || state === QUARANTINED ? this.#slot[frame]! : 0;
  }

  /**
   * lent or quarantined → free: `pages` frames side by side from `frame` on.
   * The caller then puts them idle, or sends them.
   */
  takeBack(frame: number, pages: number = this.pagesOf(frame)): void {
    for (let at = frame; at < frame + pages; at++) {
      const state = this.#state[at];
      if (state !== LENT && state !== QUARANTINED) this.#expect(at, LENT);
      this.#move(at, FREE);
      this.#slot[at] = 0;
    }
  }

  /** lent or quarantined → free and idle: `pages` frames side by side, or an extent. */
  takeBackIdle(frame: number, pages: number): void {
    this.takeBack(frame, pages);
    const step = this.pagesOf(frame);
    for (let at = frame; at < frame + pages; at += step) this.putIdle(at);
  }

  /** free → in flight, at the cost of `slot`: a frame, or an extent. */
  send(frame: number, slot: number): void {
    const end = frame + this.pagesOf(frame);
    for (let at = frame; at < end; at++) {
      this.#expect(at, FREE);
      this.#move(at, IN_FLIGHT);
      this.#slot[at] = slot;
    }
  }

  /** in flight → free and idle. Returns the slot that paid for it. */
  sent(frame: number): number {
    const slot = this.#slot[frame]!;
    const end = frame + this.pagesOf(frame);
    for (let at = frame; at < end; at++) {
      this.#expect(at, IN_FLIGHT);
      this.#move(at, FREE);
      this.#slot[at] = 0;
    }
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
    const same = counted.every((count, state) => count === this.#counts[state]);
    const idle = [...this.#idle.frames(), ...this.#idleExtents];
    const idleFree = idle.every((frame) => this.#state[frame] === FREE);
    const once = new Set(idle).size === idle.length;
    const whole = idle.every((frame) => this.isFirst(frame));
    if (!same || !once || !idleFree || !whole) {
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

/** Where the pages are. The four always add up to `total`. */
export interface PagesSnapshot {
  /** Frames of packet memory. */
  readonly total: number;
  /** The NIC's, or nobody's. */
  readonly free: number;
  /** In the hands of a capability's holder. */
  readonly lent: number;
  /** On their way out. */
  readonly inFlight: number;
  /** With a holder that was terminated: not used until they come back. */
  readonly quarantined: number;
}
