/**
 * The block cipher Speck64/128 (Beaulieu et al., "The SIMON and SPECK Families of
 * Lightweight Block Ciphers", 2013): blocks of 64 bits, keys of 128, 27 rounds.
 */

/** A block, or its ciphertext: two unsigned 32-bit halves. */
export interface Block {
  readonly low: number;
  readonly high: number;
}

const ROUNDS = 27;

/** The cipher under one key. */
export class Speck64 {
  readonly #roundKeys = new Uint32Array(ROUNDS);

  /** `key` is four words, the lowest first. */
  constructor(key: Uint32Array) {
    const words = key.slice(1, 4);
    let round = key[0]!;
    for (let i = 0; i < ROUNDS; i++) {
      this.#roundKeys[i] = round;
      const word = ((rotateRight(words[i % 3]!, 8) + round) ^ i) >>> 0;
      words[i % 3] = word;
      round = (rotateLeft(round, 3) ^ word) >>> 0;
    }
  }

  /** The ciphertext of `block`. */
  encipher(block: Block): Block {
    let { low, high } = block;
    for (let i = 0; i < ROUNDS; i++) {
      high = ((rotateRight(high, 8) + low) ^ this.#roundKeys[i]!) >>> 0;
      low = (rotateLeft(low, 3) ^ high) >>> 0;
    }
    return { low, high };
  }
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function rotateRight(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}
