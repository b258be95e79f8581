/** Which frames are lent, as buffers of how many pages: what an exchange of pages goes by. */

/** The loans of one packet memory. */
export class Loans {
  /** By a loan's first frame: its pages. */
  readonly #pages: Uint8Array;
  /** 1 for every frame that is lent. */
  readonly #out: Uint8Array;

  /** Nothing of `frameCount` frames is lent. */
  constructor(frameCount: number) {
    this.#pages = new Uint8Array(frameCount);
    this.#out = new Uint8Array(frameCount);
  }

  /**
   * The frames side by side from `frame` on are lent as one.
   * @throws {RangeError} when there are no such frames, or one is lent already.
   */
  lend(frame: number, pages: number): void {
    if (!(pages >= 1)) throw new RangeError(`pages: a loan of ${pages}`);
    for (let at = frame; at < frame + pages; at++) {
      if (this.#out[at] === 0) continue;
      const why = this.#out[at] === 1 ? "is lent already" : "does not exist";
      throw new RangeError(`pages: frame ${at} ${why}`);
    }
    this.#out.fill(1, frame, frame + pages);
    this.#pages[frame] = pages;
  }

  /** Pages of the loan that begins with `frame`, which may be anything; 0 when none does. */
  at(frame: number): number {
    return this.#pages[frame] ?? 0;
  }

  /** Ends the loan that begins with `frame`. */
  forget(frame: number): void {
    this.#out.fill(0, frame, frame + this.#pages[frame]!);
    this.#pages[frame] = 0;
  }
}
