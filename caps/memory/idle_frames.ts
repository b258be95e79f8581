/**
 * The idle frames of packet memory: one bit each, given out in the order of
 * their addresses, round and round. So frames that lie side by side fill with
 * packets one after the other, and cross a port as one buffer where they have
 * one holder: a transfer costs the same for sixteen pages as for one.
 *
 * A stack would give out the frames that are still in the cache, but after a
 * while of mixed traffic no two that lie side by side; and a NIC's ring goes
 * through thousands of frames anyway before it comes to one again.
 */

/** Says that there is no frame. */
export const NO_FRAME = -1;

/** A set of frames that is taken from in cyclic order. */
export class IdleFrames {
  /** Bit `frame & 31` of word `frame >>> 5`. */
  readonly #bits: Uint32Array;
  #count: number;
  /** The word that the next frame is looked for in first. */
  #word = 0;

  /** All frames from 0 to `frameCount` are idle. */
  constructor(frameCount: number) {
    this.#bits = new Uint32Array(Math.ceil(frameCount / 32));
    this.#count = 0;
    for (let frame = 0; frame < frameCount; frame++) this.put(frame);
  }

  /** How many are idle. */
  get count(): number {
    return this.#count;
  }

  /** Takes the next one, or {@link NO_FRAME}. */
  take(): number {
    if (this.#count === 0) return NO_FRAME;
    const bits = this.#bits;
    let word = this.#word;
    while (bits[word] === 0) word = word + 1 === bits.length ? 0 : word + 1;
    const set = bits[word]!;
    const lowest = set & -set;
    bits[word] = set ^ lowest;
    this.#word = word;
    this.#count--;
    return (word << 5) + 31 - Math.clz32(lowest);
  }

  /** Puts one back. @throws when it is idle already. */
  put(frame: number): void {
    const word = frame >>> 5;
    const bit = 1 << (frame & 31);
    if ((this.#bits[word]! & bit) !== 0) {
      throw new Error(`pages: frame ${frame} is idle twice`);
    }
    this.#bits[word]! |= bit;
    this.#count++;
  }

  /** All of them, for checks. */
  *frames(): Generator<number, void, void> {
    for (let frame = 0; frame < this.#bits.length * 32; frame++) {
      if ((this.#bits[frame >>> 5]! >>> (frame & 31) & 1) === 1) yield frame;
    }
  }
}
