/** Frames that wait for their time: bounded, the next one first. */

import type { Instant } from "../runtime/clock.ts";

/**
 * The most bytes that wait one way, bookkeeping included: some 5,000 frames of
 * 1,514 bytes. netem holds 1,000 packets by default.
 */
const HELD_BYTES_MAX = 8 * 1024 * 1024;

/** Bytes that a frame costs besides its own. */
const OVERHEAD_BYTES = 128;

/** A frame that waits. */
export interface HeldFrame {
  /** When it goes on. */
  readonly due: Instant;
  /** The capability that it came under. */
  readonly capability: bigint;
  /** Record of the frame, as in a byte string; with its bytes, if they lie in the string. */
  readonly record: Uint8Array<ArrayBuffer>;
  /** The page that it lies in, if it lies in one. */
  readonly page: ArrayBuffer | undefined;
}

/** Holds frames in the order of their times; those of one time in the order they came in. */
export class HeldFrames {
  #frames: HeldFrame[] = [];
  /** The first frame that still waits. */
  #next = 0;
  #sizeBytes = 0;

  /** When the first one is due; Infinity when there is none. */
  get due(): Instant {
    return this.first?.due ?? Infinity;
  }

  /** The one that is due first. */
  get first(): HeldFrame | undefined {
    return this.#frames[this.#next];
  }

  /** Whether there is none. */
  get empty(): boolean {
    return this.#next === this.#frames.length;
  }

  /** Takes a frame; false when there is no room. */
  add(frame: HeldFrame): boolean {
    const sizeBytes = costOf(frame);
    if (this.#sizeBytes + sizeBytes > HELD_BYTES_MAX) return false;
    this.#sizeBytes += sizeBytes;
    // Most are due last: the place is found from the end.
    let place = this.#frames.length;
    while (place > this.#next && this.#frames[place - 1]!.due > frame.due) {
      place--;
    }
    if (place === this.#frames.length) this.#frames.push(frame);
    else this.#frames.splice(place, 0, frame);
    return true;
  }

  /** Makes all frames due at once, in the same order. */
  hurry(): void {
    this.#frames = this.#frames.slice(this.#next)
      .map((frame) => ({ ...frame, due: 0 }));
    this.#next = 0;
  }

  /** Removes the first frame. */
  shift(): void {
    const frame = this.#frames[this.#next];
    if (frame === undefined) return;
    this.#sizeBytes -= costOf(frame);
    this.#next++;
    // What is left is moved down once for as many as were removed: constant for each.
    if (this.#next * 2 >= this.#frames.length) {
      this.#frames.splice(0, this.#next);
      this.#next = 0;
    }
  }
}

function costOf({ record, page }: HeldFrame): number {
  return OVERHEAD_BYTES + record.length + (page?.byteLength ?? 0);
}
