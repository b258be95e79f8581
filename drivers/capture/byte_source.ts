/** A file's bytes in order, however they are cut into chunks, in bounded memory. */

/** The most bytes that are kept at once, chunks apart. */
const WINDOW_BYTES_MAX = 512 * 1024;

/** Says that a capture is not one, or lies: where, what was found, what was expected. */
export class CaptureError extends Error {
  /** Tells it from other errors. */
  override readonly name = "CaptureError";
  /** Bytes from the start of the file. */
  readonly offset: number;

  /** At byte `offset` there is `found` where `expected` should be. */
  constructor(offset: number, found: string, expected: string) {
    super(`capture: at byte ${offset}: found ${found}; expected ${expected}`);
    this.offset = offset;
  }
}

/** What bytes are unpacked from. */
interface PackedSource {
  /** Packed bytes that were read and not unpacked. */
  readonly unread: number;
  /** Says where it ends too early. */
  readonly cutShort: string | undefined;
}

/** A window on the next bytes: `bytes[start .. start + available)`. */
export class ByteSource {
  readonly #chunks: Iterator<Uint8Array>;
  #bytes = new Uint8Array(16384);
  #view = new DataView(this.#bytes.buffer);
  #start = 0;
  #end = 0;
  #chunk: Uint8Array = new Uint8Array(0);
  #chunkStart = 0;
  #offset = 0;
  readonly #behind: PackedSource | undefined;

  /**
   * A chunk may be reused by its source once the next one is asked for. What
   * chunks are unpacked from, if they are, is `behind`.
   */
  constructor(
    chunks: Iterable<Uint8Array>,
    behind?: PackedSource,
  ) {
    this.#chunks = chunks[Symbol.iterator]();
    this.#behind = behind;
  }

  /** Where the window starts in the file. */
  get offset(): number {
    return this.#offset;
  }
  /** Where the window starts in {@link bytes}. */
  get start(): number {
    return this.#start;
  }
  /** Bytes in the window. */
  get available(): number {
    return this.#end - this.#start;
  }
  /** Bytes that were read and not skipped, those in the window among them. */
  get unread(): number {
    return this.available + this.#chunk.length - this.#chunkStart +
      (this.#behind?.unread ?? 0);
  }
  /** Says where what the bytes are unpacked from ends too early; undefined where it does not. */
  get cutShort(): string | undefined {
    return this.#behind?.cutShort;
  }
  /** What the window lies in, until the next {@link ensure} or {@link skip}. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The unsigned number at `at` of the window, which has it. */
  u32(at: number, littleEndian: boolean): number {
    return this.#view.getUint32(this.#start + at, littleEndian);
  }
  /** The unsigned number at `at` of the window, which has it. */
  u16(at: number, littleEndian: boolean): number {
    return this.#view.getUint16(this.#start + at, littleEndian);
  }

  /** Makes the window at least `count` bytes; false when the file ends before. */
  ensure(count: number): boolean {
    if (count > WINDOW_BYTES_MAX) {
      throw new RangeError(`capture: a window of ${count} bytes`);
    }
    while (this.available < count) {
      if (this.#chunkStart === this.#chunk.length && !this.#nextChunk()) {
        return false;
      }
      this.#room(count);
      const wanted = Math.min(
        this.#chunk.length - this.#chunkStart,
        this.#bytes.length - this.#end,
      );
      const till = this.#chunkStart + wanted;
      this.#bytes.set(this.#chunk.subarray(this.#chunkStart, till), this.#end);
      this.#chunkStart = till;
      this.#end += wanted;
    }
    return true;
  }

  /** Moves the window on; false when the file ends before. Keeps nothing. */
  skip(count: number): boolean {
    let left = count;
    for (;;) {
      const here = Math.min(left, this.available);
      this.#start += here;
      this.#offset += here;
      left -= here;
      if (left === 0) return true;
      const there = Math.min(left, this.#chunk.length - this.#chunkStart);
      this.#chunkStart += there;
      this.#offset += there;
      left -= there;
      if (left === 0) return true;
      if (!this.#nextChunk()) return false;
    }
  }

  #nextChunk(): boolean {
    const next = this.#chunks.next();
    if (next.done) return false;
    this.#chunk = next.value;
    this.#chunkStart = 0;
    return true;
  }

  /** Makes room for a window of `count` bytes, at the front if need be. */
  #room(count: number): void {
    if (this.#start + count <= this.#bytes.length) return;
    let bytes = this.#bytes;
    if (count > bytes.length) {
      bytes = new Uint8Array(
        Math.min(WINDOW_BYTES_MAX, Math.max(count, 2 * bytes.length)),
      );
    }
    bytes.set(this.#bytes.subarray(this.#start, this.#end));
    this.#end -= this.#start;
    this.#start = 0;
    if (bytes === this.#bytes) return;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
