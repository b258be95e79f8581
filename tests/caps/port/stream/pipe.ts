/** A pipe without a kernel: takes and gives bytes in pieces that a test chooses. */

import type { Source } from "../../../../caps/port/stream/reader.ts";
import type { Sink } from "../../../../caps/port/stream/writer.ts";

/** One direction of a stream, both its ends. */
export class TestPipe implements Source, Sink {
  readonly #piece: () => number;
  readonly #bytes: number[] = [];
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
    for (let i = 0; i < count; i++) this.#bytes.push(bytes[start + i]!);
    this.written += count;
    return count;
  }

  read(into: Uint8Array, from: number, to: number): number {
    if (this.#bytes.length === 0) return this.closed ? -1 : 0;
    const count = Math.min(Math.max(1, this.#piece()), to - from);
    const bytes = this.#bytes.splice(0, count);
    into.set(bytes, from);
    this.taken += bytes.length;
    return bytes.length;
  }

  /** Bytes that were written and not read. */
  get unread(): number {
    return this.#bytes.length;
  }
}

/** Sizes of pieces, one after the other and again from the first: never all 0. */
export function pieces(sizes: readonly number[]): () => number {
  let next = 0;
  return () => sizes[next++ % sizes.length]!;
}
