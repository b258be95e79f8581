/**
 * Numbers that look random and are the same for the same seed: xoshiro128**
 * (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", 2021),
 * its state filled by splitmix32. Not for secrets.
 */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  /** Starts from `seed`, 32 bits of it. */
  constructor(seed: number) {
    this.reseed(seed);
  }

  /** Starts again from `seed`, 32 bits of it. */
  reseed(seed: number): void {
    this.#a = mix(seed + 0x9e3779b9 | 0);
    this.#b = mix(seed + 0x3c6ef372 | 0);
    this.#c = mix(seed + 0xdaa66d2b | 0);
    // All zeros is the one state that stays as it is.
    this.#d = mix(seed + 0x78dde6e4 | 0) | 1;
  }

  /** A whole number of 32 bits, from 0 to 4,294,967,295. */
  next(): number {
    const scrambled = Math.imul(rotate(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotate(this.#d, 11);
    return scrambled;
  }

  /** A whole number from 0 to `bound - 1`, each as likely; `bound` from 1 to 2^32. */
  below(bound: number): number {
    const fair = 4294967296 - 4294967296 % bound;
    let value = this.next();
    while (value >= fair) value = this.next();
    return value % bound;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with probability `share`, from 0 to 1. */
  chance(share: number): boolean {
    return this.next() < share * 4294967296;
  }

  /** Fills `bytes[start..end)`. */
  fill(bytes: Uint8Array, start: number, end: number): void {
    let word = 0;
    for (let at = start; at < end; at++) {
      if ((at - start & 3) === 0) word = this.next();
      bytes[at] = word;
      word >>>= 8;
    }
  }
}

/** 32 bits that depend on `seed` and `number` alone: a seed for one of many. */
export function seedOf(seed: number, number: number): number {
  return mix(mix(seed + 0x9e3779b9 | 0) + number | 0) >>> 0;
}

/** splitmix32's finalizer (MurmurHash3's, with the constants of "lowbias32"). */
function mix(value: number): number {
  value = Math.imul(value ^ value >>> 16, 0x21f0aaad);
  value = Math.imul(value ^ value >>> 15, 0x735a2d97);
  return value ^ value >>> 15;
}

function rotate(value: number, bits: number): number {
  return value << bits | value >>> 32 - bits;
}
