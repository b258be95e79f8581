/**
 * Tags: the 64-bit numbers by which a port names its capabilities.
 *
 * A generator enciphers a counter with a key of its own, so that no tag is ever
 * issued twice (a permutation has no collisions) and none can be guessed from
 * others. The cipher, Speck64/128, is a few lines, and enough for numbers that are
 * worth nothing on any port but their holder's.
 */

import { Speck64 } from "./speck64.ts";

/** Fills `out` with unpredictable bytes; `crypto.getRandomValues` is one. */
export type RandomSource = (out: Uint8Array<ArrayBuffer>) => void;

/** A tag as two unsigned 32-bit halves, as packet paths use it. */
export interface Tag {
  readonly low: number;
  readonly high: number;
}

/** Issues tags. Two generators, and two runs, share nothing. */
export class TagGenerator {
  readonly #cipher: Speck64;
  #counterLow: number;
  #counterHigh: number;

  /** Draws 16 bytes of key from `random`, and counts from `first` on. */
  constructor(random: RandomSource, first: Tag = { low: 0, high: 0 }) {
    this.#counterLow = first.low;
    this.#counterHigh = first.high;
    const key = new Uint8Array(16);
    random(key);
    const words = new Uint32Array(key.buffer);
    this.#cipher = new Speck64(words);
  }

  /** The next tag: never 0, never one that this generator issued before. */
  next(): Tag {
    for (;;) {
      const tag = this.#cipher.encipher({
        low: this.#counterLow,
        high: this.#counterHigh,
      });
      this.#count();
      if (tag.low !== 0 || tag.high !== 0) return tag;
    }
  }

  #count(): void {
    this.#counterLow = (this.#counterLow + 1) >>> 0;
    if (this.#counterLow !== 0) return;
    this.#counterHigh = (this.#counterHigh + 1) >>> 0;
    if (this.#counterHigh === 0) {
      throw new Error("tags: all 2^64 have been issued");
    }
  }
}

/**
 * The tag in `value`, which may be anything that a message brought; undefined
 * when it is no 64-bit number or 0.
 */
export function tagOf(value: unknown): Tag | undefined {
  if (
    typeof value !== "bigint" || value <= 0n || value > 0xffff_ffff_ffff_ffffn
  ) {
    return undefined;
  }
  return { low: Number(value & 0xffff_ffffn), high: Number(value >> 32n) };
}
