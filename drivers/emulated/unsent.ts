/** What an end of a wire did not send, by reason. */

import type { Counts } from "../../caps/driver/accounts.ts";

/** Counts of one end. */
export class Unsent {
  readonly #frameBytesMax: number;
  #oversize = 0;
  #empty = 0;
  #queueFull = 0;
  #linkDown = 0;

  /** Of an end whose largest frame has `frameBytesMax` bytes. */
  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Whether a frame of `length` bytes cannot go, whatever the queue; counted then. */
  refuses(length: number, down: boolean): boolean {
    if (down) this.#linkDown++;
    else if (length === 0) this.#empty++;
    else if (length > this.#frameBytesMax) this.#oversize++;
    else return false;
    return true;
  }

  /** A frame found no room. */
  queueFull(): void {
    this.#queueFull++;
  }

  /** By reason, as `tx-…`. */
  counters(): Counts {
    return {
      "tx-oversize": this.#oversize,
      "tx-empty": this.#empty,
      "tx-queue-full": this.#queueFull,
      "tx-link-down": this.#linkDown,
    };
  }
}
