/** The bits of packed data in DEFLATE's order: from the lowest of each byte (RFC 1951, section 3.1.1). */

/** Says that packed data is not: where, what was found, what was expected. */
export class PackedDataError extends Error {
  /** Tells it from other errors. */
  override readonly name = "PackedDataError";
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly found: string;
  readonly expected: string;

  /** At byte `offset` there is `found` where `expected` should be. */
  constructor(offset: number, found: string, expected: string) {
    super(`at byte ${offset}: found ${found}; expected ${expected}`);
    this.offset = offset;
    this.found = found;
    this.expected = expected;
  }
}

/** Bits of the bytes that come in chunks. */
export class BitSource {
  readonly #chunks: Iterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Bytes in front of the chunk at hand. */
  #before = 0;
  /** The next bits, the first lowest. */
  #bits = 0;
  #count = 0;

  /** A chunk may be reused by its source once the next one is asked for. */
  constructor(chunks: Iterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.iterator]();
  }

  /** Bytes of the file that were taken wholly. */
  get offset(): number {
    return this.#before + this.#at - (this.#count >> 3);
  }

  /** Bytes at hand: more take another chunk, which may have to be waited for. */
  get unread(): number {
    return this.#chunk.length - this.#at + (this.#count >> 3);
  }

  /** Whether there is no bit left. */
  get ended(): boolean {
    return this.#count === 0 && !this.#more();
  }

  /** Takes `count` bits, at most 16, as a number. */
  take(count: number): number {
    const value = this.peek(count);
    this.skip(count);
    return value;
  }

  /** The next `count` bits, at most 16; behind the end of the file there are zeros. */
  peek(count: number): number {
    while (this.#count < count && this.#more()) {
      this.#bits |= this.#chunk[this.#at++]! << this.#count;
      this.#count += 8;
    }
    return this.#bits & (1 << count) - 1;
  }

  /** @throws {PackedDataError} when the file ends within them. */
  skip(count: number): void {
    if (count > this.#count) {
      throw new PackedDataError(
        this.offset,
        "the end of the file",
        "more packed data",
      );
    }
    this.#bits >>>= count;
    this.#count -= count;
  }

  /** Leaves out what is left of a byte that was begun. */
  align(): void {
    this.skip(this.#count & 7);
  }

  #more(): boolean {
    while (this.#at === this.#chunk.length) {
      const next = this.#chunks.next();
      if (next.done) return false;
      this.#before += this.#chunk.length;
      this.#chunk = next.value;
      this.#at = 0;
    }
    return true;
  }
}
