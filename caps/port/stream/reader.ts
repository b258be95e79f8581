/** Messages out of a pipe, in whatever pieces they come. */

import {
  BODY_BYTES_MAX,
  CHANNELS_MAX,
  HEADER_BYTES,
  KIND,
  KIND_MAX,
  paddedBytes,
} from "./message.ts";

/** Where bytes come from. */
export interface Source {
  /** Reads into `into[from..to)`. Returns how many; 0 when nothing is here now, -1 at the end. */
  read(into: Uint8Array, from: number, to: number): number;
}

/** Bytes that the buffer has at first, and is read into at once. */
const BUFFER_BYTES = 131_072;

/** Bytes that are read at once where pages come: what is behind a page's header is not to be copied. */
const BESIDE_PAGES_BYTES = 4096;

/** Reads messages, one after the other. */
export class StreamReader {
  /** What the message at hand is. */
  kind = 0;
  /** Channel of the message at hand. */
  channel = 0;
  /** Bytes of the message at hand: valid until the next {@link fill}. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(BUFFER_BYTES);
  /** Where its body begins in {@link bytes}. */
  start = 0;
  /** Where that body ends. */
  end = 0;
  /** What is wrong with the stream, in words: nothing is read on then. */
  broken: string | undefined;
  /**
   * Says where a page of so many bytes is to be read to, so that it is copied once;
   * undefined for where all else is.
   */
  pageFor: (sizeBytes: number) => Uint8Array<ArrayBuffer> | undefined = () =>
    undefined;
  #buffer = this.bytes;
  #view = new DataView(this.#buffer.buffer);
  #from = 0;
  #to = 0;
  #atOnce = BUFFER_BYTES;
  /** The page that is being read. */
  #page: Uint8Array<ArrayBuffer> | undefined;
  #pageAt = 0;

  /** The body of the message at hand, for numbers; not of a page that was read to its place. */
  get view(): DataView<ArrayBuffer> {
    return this.#view;
  }

  /** Reads once. Returns how many bytes; 0 when nothing is here now, -1 at the end. */
  fill(source: Source): number {
    const page = this.#page;
    if (page !== undefined) {
      const count = source.read(page, this.#pageAt, page.length);
      if (count > 0) this.#pageAt += count;
      return count;
    }
    this.#makeRoom();
    const to = Math.min(this.#to + this.#atOnce, this.#buffer.length);
    const count = source.read(this.#buffer, this.#to, to);
    if (count > 0) this.#to += count;
    return count;
  }

  /** Goes on to the next message that is here as a whole; false when there is none. */
  next(): boolean {
    if (this.#page !== undefined) return this.#endPage();
    const left = this.#to - this.#from;
    if (left < HEADER_BYTES || this.broken !== undefined) return false;
    const at = this.#from;
    const size = this.#view.getUint32(at, true);
    const kind = this.#buffer[at + 4]!;
    const channel = this.#view.getUint16(at + 6, true);
    this.broken = wrongIn(size, kind, this.#buffer[at + 5]!, channel);
    if (this.broken !== undefined) return false;
    const whole = HEADER_BYTES + paddedBytes(size);
    this.#atOnce = kind === KIND.page ? BESIDE_PAGES_BYTES : BUFFER_BYTES;
    if (left < whole) {
      if (kind === KIND.page) this.#beginPage(size);
      return false;
    }
    this.kind = kind;
    this.channel = channel;
    this.bytes = this.#buffer;
    this.start = at + HEADER_BYTES;
    this.end = this.start + size;
    this.#from = at + whole;
    return true;
  }

  /** Whether a part of a message is here. */
  get torn(): boolean {
    return this.#to > this.#from || this.#page !== undefined;
  }

  /** Has the rest of a page, whose header is next, read to its place. */
  #beginPage(size: number): void {
    const page = size % 8 === 0 ? this.pageFor(size) : undefined;
    if (page === undefined) return;
    const here = this.#buffer.subarray(this.#from + HEADER_BYTES, this.#to);
    page.set(here);
    this.#page = page;
    this.#pageAt = here.length;
    this.#from = this.#to;
  }

  #endPage(): boolean {
    const page = this.#page!;
    if (this.#pageAt < page.length) return false;
    this.#page = undefined;
    this.kind = KIND.page;
    this.bytes = page;
    this.start = 0;
    this.end = page.length;
    return true;
  }

  /**
   * Makes room to read into. A buffer grows with what has come, and not with what
   * was announced.
   */
  #makeRoom(): void {
    if (this.#from === this.#to) {
      this.#from = 0;
      this.#to = 0;
      return;
    }
    if (this.#to < this.#buffer.length) return;
    const left = this.#buffer.subarray(this.#from, this.#to);
    if (left.length > this.#buffer.length / 2) {
      this.#buffer = new Uint8Array(this.#buffer.length * 2);
      this.#view = new DataView(this.#buffer.buffer);
    }
    this.#buffer.set(left);
    this.#from = 0;
    this.#to = left.length;
  }
}

/** Why these four are no message's. */
function wrongIn(
  size: number,
  kind: number,
  zero: number,
  channel: number,
): string | undefined {
  if (kind === 0 || kind > KIND_MAX || zero !== 0) {
    return "it wrote what is no message";
  }
  if (size > BODY_BYTES_MAX) {
    return `it announced a message of ${size} bytes; ${BODY_BYTES_MAX} at most`;
  }
  return channel >= CHANNELS_MAX ? `it wrote on channel ${channel}` : undefined;
}
