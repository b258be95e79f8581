/** Payloads that were sent and whose answers are awaited. */

import { Random, seedOf } from "../runtime/random.ts";

/** How many are awaited at most; an answer to one before them is a wrong one. */
export const OUTSTANDING_MAX = 16384;

/** The sizes to draw from, in bytes, both included. */
export interface PayloadSizes {
  /** The least. */
  readonly bytesMin: number;
  /** The most. */
  readonly payloadBytesMax: number;
}

/**
 * A row of payloads, each drawn from the seed and its own number alone: they
 * are compared with their answers without being kept.
 */
export class Exchange {
  readonly #seed: number;
  readonly #sizes: PayloadSizes;
  readonly #random = new Random(0);
  readonly #drawn: Uint8Array<ArrayBuffer>;
  /** By sequence number: one more than the payload's number, 0 for none. */
  readonly #outstanding = new Float64Array(OUTSTANDING_MAX);
  #number = 0;

  /** The row of `seed`, 32 bits. */
  constructor(seed: number, sizes: PayloadSizes) {
    this.#seed = seed;
    this.#sizes = sizes;
    this.#drawn = new Uint8Array(sizes.payloadBytesMax);
  }

  /** The next payload's sequence number, from 0 to {@link OUTSTANDING_MAX} - 1. */
  get sequence(): number {
    return this.#number % OUTSTANDING_MAX;
  }

  /** The next payload: good until the next call of any method. */
  draw(): Uint8Array {
    return this.#payload(this.#number);
  }

  /** The next payload was sent: it is awaited, and there is a new next one. */
  sent(): void {
    this.#outstanding[this.sequence] = ++this.#number;
  }

  /**
   * Whether `bytes[start..end)` is the payload that is awaited under `sequence`;
   * it then is awaited no more.
   */
  complete(
    sequence: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const stored = this.#outstanding[sequence] ?? 0;
    if (stored === 0) return false;
    const payload = this.#payload(stored - 1);
    if (payload.length !== end - start) return false;
    for (let i = 0; i < payload.length; i++) {
      if (payload[i] !== bytes[start + i]) return false;
    }
    this.#outstanding[sequence] = 0;
    return true;
  }

  #payload(number: number): Uint8Array {
    this.#random.reseed(seedOf(this.#seed, number | 0));
    const { bytesMin, payloadBytesMax } = this.#sizes;
    const size = this.#random.between(bytesMin, payloadBytesMax);
    this.#random.fill(this.#drawn, 0, size);
    return this.#drawn.subarray(0, size);
  }
}
