/** Messages on their way into a pipe: put together here, written as far as the pipe takes them. */

import { HEADER_BYTES, paddedBytes } from "./message.ts";

/** Where bytes go. None of its calls waits, or each of them does. */
export interface Sink {
  /** Writes `bytes[start..end)`. Returns how many were taken; -1 when nobody reads any more. */
  write(bytes: Uint8Array, start: number, end: number): number;
  /** Writes them by lending the memory itself, which stays as it is until the other side has read it. */
  lend?(bytes: Uint8Array, start: number, end: number): number;
}

/** Bytes that the buffer has at first. */
const BUFFER_BYTES = 131_072;

/** Unwritten bytes from which on a writer is full: what its sender can leave out is left out. */
export const UNWRITTEN_BYTES_MAX = 1_048_576;

/** A page that goes out by itself, behind what was put before it. */
interface Page {
  /** Where in the buffer. */
  readonly at: number;
  readonly bytes: Uint8Array;
  /** How much of it is written. */
  written: number;
}

/** Gathers messages; the caller flushes them once a turn. */
export class StreamWriter {
  /** Called when a message is begun: for one that is not flushed once a turn. */
  onBegin: (() => void) | undefined;
  #bytes = new Uint8Array(BUFFER_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #from = 0;
  #to = 0;
  /** Pages that are not written yet, in order. */
  #pages: Page[] = [];
  #pageBytes = 0;
  /** Bytes that were written, pages included. */
  #written = 0;

  /**
   * Whether so much is unwritten that what can be left out is to be left out. Pages
   * do not count: they take no memory here, and their holder's quota bounds them.
   */
  get full(): boolean {
    return this.#to - this.#from > UNWRITTEN_BYTES_MAX;
  }

  /** Whether so much is unwritten, pages included, that what can wait in its port waits there. */
  get behind(): boolean {
    return this.#to - this.#from + this.#pageBytes > UNWRITTEN_BYTES_MAX;
  }

  /** Whether all is written. */
  get empty(): boolean {
    return this.#from === this.#to && this.#pages.length === 0;
  }

  /** Bytes that were written, of all messages and pages. */
  get written(): number {
    return this.#written;
  }

  /** Where the stream will be once all that was put so far is written. */
  get end(): number {
    return this.#written + this.#to - this.#from + this.#pageBytes;
  }

  /** Begins a message with a body of `size` bytes. Returns where the body lies in {@link bytes}. */
  begin(kind: number, channel: number, size: number): number {
    this.#reserve(HEADER_BYTES + paddedBytes(size));
    this.onBegin?.();
    const at = this.#to;
    this.#header(at, kind, channel, size);
    const end = at + HEADER_BYTES + size;
    this.#to = at + HEADER_BYTES + paddedBytes(size);
    this.#bytes.fill(0, end, this.#to);
    return at + HEADER_BYTES;
  }

  /** The buffer: valid until the next message is begun. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** The buffer, for numbers. */
  get view(): DataView<ArrayBuffer> {
    return this.#view;
  }

  /** Puts a whole message. */
  put(kind: number, channel: number, body: Uint8Array): void {
    const at = this.begin(kind, channel, body.length);
    this.#bytes.set(body, at);
  }

  /** Puts a message whose body is `page`, a multiple of 8 bytes: it stays where it is until it is written. */
  putPage(kind: number, channel: number, page: Uint8Array): void {
    this.#reserve(HEADER_BYTES);
    this.#header(this.#to, kind, channel, page.length);
    this.#to += HEADER_BYTES;
    this.#pages.push({ at: this.#to, bytes: page, written: 0 });
    this.#pageBytes += page.length;
  }

  /** Writes what there is, as far as `sink` takes it. Returns false when nobody reads any more. */
  flush(sink: Sink): boolean {
    while (!this.empty) {
      const page = this.#pages[0];
      const until = page?.at ?? this.#to;
      const taken = this.#from < until
        ? this.#flushBuffer(until, sink)
        : this.#flushPage(page!, sink);
      if (taken <= 0) return taken === 0;
      this.#written += taken;
    }
    this.#from = 0;
    this.#to = 0;
    return true;
  }

  #flushBuffer(until: number, sink: Sink): number {
    const taken = sink.write(this.#bytes, this.#from, until);
    if (taken > 0) this.#from += taken;
    return taken;
  }

  #flushPage(page: Page, sink: Sink): number {
    const { bytes, written } = page;
    const taken = sink.lend === undefined
      ? sink.write(bytes, written, bytes.length)
      : sink.lend(bytes, written, bytes.length);
    if (taken <= 0) return taken;
    page.written += taken;
    this.#pageBytes -= taken;
    if (page.written === bytes.length) this.#pages.shift();
    return taken;
  }

  #header(at: number, kind: number, channel: number, size: number): void {
    const view = this.#view;
    view.setUint32(at, size, true);
    view.setUint8(at + 4, kind);
    view.setUint8(at + 5, 0);
    view.setUint16(at + 6, channel, true);
  }

  /** Makes room for `sizeBytes` behind what is put. */
  #reserve(sizeBytes: number): void {
    if (this.#to + sizeBytes <= this.#bytes.length) return;
    const unwritten = this.#to - this.#from;
    let capacity = this.#bytes.length;
    while (capacity < unwritten + sizeBytes) capacity *= 2;
    const bytes = capacity === this.#bytes.length
      ? this.#bytes
      : new Uint8Array(capacity);
    bytes.set(this.#bytes.subarray(this.#from, this.#to));
    this.#pages = this.#pages.map((page) => ({
      ...page,
      at: page.at - this.#from,
    }));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    this.#from = 0;
    this.#to = unwritten;
  }
}
