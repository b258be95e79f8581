/**
 * Places in memory for readv(2), writev(2) and vmsplice(2), without an object or
 * a BigInt for each call.
 *
 * ```
 * ├ address │ size ┼ address │ size ┤ …   `struct iovec`, two words of 32 bits each number
 * ```
 */

import { IOVEC_BYTES } from "./abi.ts";

const IOVEC_WORDS = IOVEC_BYTES / 4;

/** So many `struct iovec` (linux/uio.h). */
export class IoVectors {
  /** What the calls take. */
  readonly words: Uint32Array<ArrayBuffer>;

  constructor(count: number) {
    this.words = new Uint32Array(count * IOVEC_WORDS);
  }

  /** Points at `sizeBytes` from `address` on: user space ends well below 2^53. */
  point(index: number, address: number, sizeBytes: number): void {
    const words = this.words;
    const at = index * IOVEC_WORDS;
    words[at] = address % 0x1_0000_0000;
    words[at + 1] = Math.floor(address / 0x1_0000_0000);
    words[at + 2] = sizeBytes;
    words[at + 3] = 0;
  }
}
