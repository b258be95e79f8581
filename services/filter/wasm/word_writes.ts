/** Changes to a running classifier's memory, collected until they are sent. */

/** Words to be written, in order. */
export class WordWrites {
  #words: number[] = [];

  /** Writes a 32-bit word at a multiple of 4. */
  put(address: number, word: number): void {
    this.#words.push(address, word);
  }

  /** What was put since this was asked last: address and word by turns. */
  take(): Uint32Array<ArrayBuffer> {
    const words = Uint32Array.from(this.#words);
    this.#words = [];
    return words;
  }
}
