/**
 * When a packet arrived: in front of it in packet memory, where its NIC's kernel
 * says so. Who reads a packet where it lies finds it there; nobody else pays for it.
 *
 * ```
 *  frame ─┼ … ┼ seconds ┼ nanoseconds ┼ 8 bytes: XDP's tag ┼ packet
 *             -16       -12           -8                   0
 * ```
 */

/** Bytes in front of a packet at which its time begins. */
export const ARRIVAL_TIME_BYTES = 16;

/** Times in packet memory. */
export class ArrivalTimes {
  readonly #words: Uint32Array;

  /** Reads and writes in all of packet memory. */
  constructor(buffer: ArrayBufferLike) {
    this.#words = new Uint32Array(buffer);
  }

  /** Says when the packet at `offset`, a multiple of 4, arrived: since 1970-01-01 UTC. */
  put(offset: number, seconds: number, nanoseconds: number): void {
    const at = offset - ARRIVAL_TIME_BYTES >>> 2;
    this.#words[at] = seconds;
    this.#words[at + 1] = nanoseconds;
  }

  /** Whole seconds, below 2^32, of the packet at `offset`. */
  secondsOf(offset: number): number {
    return this.#words[offset - ARRIVAL_TIME_BYTES >>> 2]!;
  }

  /** The rest of them. */
  nanosecondsOf(offset: number): number {
    return this.#words[(offset - ARRIVAL_TIME_BYTES >>> 2) + 1]!;
  }
}
