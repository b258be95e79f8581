/** Messages out of a pipe, in whatever pieces they come. */

import {
  BODY_BYTES_MAX,
  CHANNELS_MAX,
  HEADER_BYTES,
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

/** Reads messages, one after the other. */
export class StreamReader {
  /** What the message at hand is. */
  kind = 0;
  /** Channel of the message at hand. */
  channel = 0;
  /** Where the body of the message at hand begins in {@link bytes}. */
  start = 0;
  /** Where that body ends. */
  end = 0;
  /** What is wrong with the stream, in words: nothing is read on then. */
  broken: string | undefined;
  #bytes = new Uint8Array(BUFFER_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #from = 0;
  #to = 0;

  /** The buffer: valid until the next {@link fill}. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** The buffer, for numbers. */
  get view(): DataView<ArrayBuffer> {
    return this.#view;
  }

  /** Reads once. Returns how many bytes; 0 when nothing is here now, -1 at the end. */
  fill(source: Source): number {
    this.#makeRoom();
    const count = source.read(this.#bytes, this.#to, this.#bytes.length);
    if (count > 0) this.#to += count;
    return count;
  }

  /** Goes on to the next message that is here as a whole; false when there is none. */
  next(): boolean {
    const left = this.#to - this.#from;
    if (left < HEADER_BYTES || this.broken !== undefined) return false;
    const at = this.#from;
    const size = this.#view.getUint32(at, true);
    const kind = this.#bytes[at + 4]!;
    const channel = this.#view.getUint16(at + 6, true);
    this.broken = wrongIn(size, kind, this.#bytes[at + 5]!, channel);
    if (this.broken !== undefined) return false;
    const whole = HEADER_BYTES + paddedBytes(size);
    if (left < whole) return false;
    this.kind = kind;
    this.channel = channel;
    this.start = at + HEADER_BYTES;
    this.end = this.start + size;
    this.#from = at + whole;
    return true;
  }

  /** Whether a part of a message is here. */
  get torn(): boolean {
    return this.#to > this.#from;
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
    if (this.#to < this.#bytes.length) return;
    const left = this.#bytes.subarray(this.#from, this.#to);
    if (left.length > this.#bytes.length / 2) {
      this.#bytes = new Uint8Array(this.#bytes.length * 2);
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.#bytes.set(left);
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
