/**
 * The frames that one submission gave back and did not name yet: free, and
 * neither idle nor staged. A holder may name a frame twice; it goes out once.
 */

import type { PageLedger } from "../../caps/memory/page_ledger.ts";

/** A set of frames, used again for every message. */
export class ReturnedPages {
  /** 1 for a frame that is in it: an extent's first one. */
  readonly #here: Uint8Array;
  readonly #frames: number[] = [];
  #count = 0;

  /** Frames are numbered up to `frameCount`. */
  constructor(frameCount: number) {
    this.#here = new Uint8Array(frameCount);
  }

  /** Adds `pages` frames side by side, which go round `step` together. */
  add(frame: number, pages: number, step: number): void {
    for (let at = frame; at < frame + pages; at += step) {
      this.#here[at] = 1;
      this.#frames[this.#count++] = at;
    }
  }

  /** Whether `frame`, which may be any number, is in it. */
  has(frame: number): boolean {
    return this.#here[frame] === 1;
  }

  /** Takes `frame` out: its record has come. */
  take(frame: number): void {
    this.#here[frame] = 0;
  }

  /** Puts idle what no record has named, and empties the set. */
  putIdle(ledger: PageLedger): void {
    for (let i = 0; i < this.#count; i++) {
      const frame = this.#frames[i]!;
      if (this.#here[frame] === 0) continue;
      this.#here[frame] = 0;
      ledger.putIdle(frame);
    }
    this.#count = 0;
  }
}
