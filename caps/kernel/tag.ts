/**
 * Tags: the 64-bit numbers by which a port names its capabilities.
 *
 * A generator enciphers a counter with a key of its own, so that no tag is ever
 * issued twice (a permutation has no collisions) and none can be guessed from
 * others. The cipher is Speck64/128 (Beaulieu et al., "The SIMON and SPECK
 * Families of Lightweight Block Ciphers", 2013): a few lines, 27 rounds, and
 * enough for numbers that are worth nothing on any port but their holder's.
 */

/** Fills `out` with unpredictable bytes; `crypto.getRandomValues` is one. */
export type RandomSource = (out: Uint8Array<ArrayBuffer>) => void;

/** A tag as two unsigned 32-bit halves, as packet paths use it. */
export interface Tag {
  readonly low: number;
  readonly high: number;
}

const ROUNDS = 27;

/** Enciphers one 64-bit block under a 128-bit key (four words, lowest first). */
export function speck64(
  block: Tag,
  key: readonly [number, number, number, number],
): Tag {
  return encipher(block, expandKey(key));
}

function expandKey(
  key: readonly [number, number, number, number],
): Uint32Array {
  const roundKeys = new Uint32Array(ROUNDS);
  const words = Uint32Array.of(key[1], key[2], key[3]);
  let round = key[0] >>> 0;
  for (let i = 0; i < ROUNDS; i++) {
    roundKeys[i] = round;
    const word = ((rotateRight(words[i % 3]!, 8) + round) ^ i) >>> 0;
    words[i % 3] = word;
    round = (rotateLeft(round, 3) ^ word) >>> 0;
  }
  return roundKeys;
}

function encipher(block: Tag, roundKeys: Uint32Array): Tag {
  let high = block.high >>> 0;
  let low = block.low >>> 0;
  for (let i = 0; i < ROUNDS; i++) {
    high = ((rotateRight(high, 8) + low) ^ roundKeys[i]!) >>> 0;
    low = (rotateLeft(low, 3) ^ high) >>> 0;
  }
  return { low, high };
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function rotateRight(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

/** Issues tags. Two generators, and two runs, share nothing. */
export class TagGenerator {
  readonly #roundKeys: Uint32Array;
  #counterLow = 0;
  #counterHigh = 0;

  /** Draws 16 bytes of key from `random`. */
  constructor(random: RandomSource) {
    const key = new Uint8Array(16);
    random(key);
    const words = new Uint32Array(key.buffer);
    this.#roundKeys = expandKey([words[0]!, words[1]!, words[2]!, words[3]!]);
  }

  /** The next tag: never 0, never one that this generator issued before. */
  next(): Tag {
    for (;;) {
      const tag = encipher(
        { low: this.#counterLow, high: this.#counterHigh },
        this.#roundKeys,
      );
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
