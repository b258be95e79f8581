/**
 * The frames of one delivery, as runs that lie side by side: each run crosses
 * the port as one buffer. A transfer takes 1.5 µs on either side whatever its
 * size, so that this is what makes a swapped page cheap.
 */

/** A list of runs that grows by a frame at a time, and is used again for the next delivery. */
export class FrameRuns {
  readonly #frames: number[] = [];
  readonly #pages: number[] = [];
  /** Whose they are: what one run gives back is given back to one account. */
  readonly #slots: number[] = [];
  #count = 0;

  /** How many runs there are. */
  get count(): number {
    return this.#count;
  }

  /** The first frame of run `index`. */
  frame(index: number): number {
    return this.#frames[index]!;
  }

  /** The frames of run `index`. */
  pages(index: number): number {
    return this.#pages[index]!;
  }

  /** The slot of the account that run `index` is lent to. */
  slot(index: number): number {
    return this.#slots[index]!;
  }

  /**
   * Adds a frame of slot `slot`'s, or an extent of `pages` frames, behind the
   * others: to the last run, if that is the same slot's, has less than
   * `runPagesMax` and ends where the frame begins. Returns the run that the frame
   * is part of.
   */
  add(
    frame: number,
    pages: number,
    slot: number,
    runPagesMax: number,
  ): number {
    const last = this.#count - 1;
    if (last >= 0 && pages === 1 && this.#slots[last] === slot) {
      const sofar = this.#pages[last]!;
      if (
        sofar < runPagesMax && this.#frames[last]! + sofar === frame
      ) {
        this.#pages[last] = sofar + 1;
        return last;
      }
    }
    this.#frames[this.#count] = frame;
    this.#pages[this.#count] = pages;
    this.#slots[this.#count] = slot;
    return this.#count++;
  }

  /** Forgets all runs. */
  clear(): void {
    this.#count = 0;
  }
}
