/** A pipe without a kernel: takes and gives bytes in pieces that a test chooses. */

import type { Source } from "../../../../caps/port/stream/reader.ts";
import type { Sink } from "../../../../caps/port/stream/writer.ts";

/** One direction of a stream, both its ends. */
export class TestPipe implements Source, Sink {
  readonly #piece: () => number;
  readonly #chunks: Uint8Array[] = [];
  /** Bytes that were written, and read. */
  written = 0;
  taken = 0;
  closed = false;

  /** `piece` says how many bytes each call moves at most; 0 for none. */
  constructor(piece: () => number = () => 65_536) {
    this.#piece = piece;
  }

  write(bytes: Uint8Array, start: number, end: number): number {
    if (this.closed) return -1;
    const count = Math.min(this.#piece(), end - start);
    if (count > 0) this.#chunks.push(bytes.slice(start, start + count));
    this.written += count;
    return count;
  }

  read(into: Uint8Array, from: number, to: number): number {
    if (this.unread === 0) return this.closed ? -1 : 0;
    const most = Math.min(Math.max(1, this.#piece()), to - from, this.unread);
    for (let at = 0; at < most;) {
      const chunk = this.#chunks[0]!;
      const part = chunk.subarray(0, most - at);
      into.set(part, from + at);
      at += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.taken += most;
    return most;
  }

  /** Bytes that were written and not read. */
  get unread(): number {
    return this.written - this.taken;
  }
}

/** Sizes of pieces, one after the other and again from the first: never all 0. */
export function pieces(sizes: readonly number[]): () => number {
  let next = 0;
  return () => sizes[next++ % sizes.length]!;
}
