/** Which sequence numbers of a session have been seen: RFC 4303, section 3.4.3, in the ring form of RFC 6479. */

/** How far behind the highest number a frame may come, at least. */
export const WINDOW_FRAMES = 2016;

const WORD_BITS = 32;
/** One word more than the window: the one that the highest number moves into is not clean yet. */
const WORDS = WINDOW_FRAMES / WORD_BITS + 1;

/** The window of one session. Sequences are whole numbers from 0 to 2^32 - 1. */
export class ReplayWindow {
  readonly #seen = new Uint32Array(WORDS);
  /** The word that holds the highest number. */
  #top = 0;
  #highest = -1;

  /** The highest number that was taken; -1 before the first one. */
  get highest(): number {
    return this.#highest;
  }

  /** Whether `sequence` is new: neither seen nor too old to tell. */
  isNew(sequence: number): boolean {
    if (sequence > this.#highest) return true;
    if (this.#highest - sequence >= WINDOW_FRAMES) return false;
    const word = Math.floor(sequence / WORD_BITS) % WORDS;
    return (this.#seen[word]! >>> sequence % WORD_BITS & 1) === 0;
  }

  /** Takes `sequence` as seen, once it is proven. @returns whether it was new. */
  accept(sequence: number): boolean {
    if (!this.isNew(sequence)) return false;
    const at = Math.floor(sequence / WORD_BITS);
    if (sequence > this.#highest) {
      const steps = Math.min(at - this.#top, WORDS);
      for (let i = 0; i < steps; i++) this.#seen[(at - i) % WORDS] = 0;
      this.#top = at;
      this.#highest = sequence;
    }
    this.#seen[at % WORDS]! |= 1 << sequence % WORD_BITS;
    return true;
  }
}
