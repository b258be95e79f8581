/** Unpacks gzip (RFC 1952): members, one behind the other, each of DEFLATE with a checksum. */

import {
  Z_BUF_ERROR,
  Z_NO_FLUSH,
  Z_OK,
  Z_STREAM_END,
  zlibInflate,
  zlibInflateEnd,
  zlibInflateInit2,
  zlibInflateReset,
  ZStream,
} from "pako";
import { type ByteSource, CaptureError } from "./byte_source.ts";

/** The first two bytes of a member, as a big-endian number. */
export const GZIP_MAGIC = 0x1f8b;

/** The first two bytes of a member, as a little-endian number. */
const MAGIC = 0x8b1f;

/** zlib.h, inflateInit2(): a window of 2^15 bytes, and gzip alone. */
const WINDOW_BITS = 15 + 16;

/** Bytes that are unpacked at once, whatever they are packed in. */
const CHUNK_BYTES = 65536;

/**
 * A file that is unpacked as it is read, in bounded memory. `DecompressionStream`
 * does so too, but can only be waited for: a replay that is asked for its next
 * frame must have it there and then.
 */
export class Unpacked implements Iterable<Uint8Array> {
  readonly #source: ByteSource;
  #cutShort: string | undefined;

  /** Unpacks what `source` has from its window on: gzip. */
  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Packed bytes at hand. */
  get unread(): number {
    return this.#source.unread;
  }

  /** Says where the file ends too early, once it was read that far: what it has was unpacked; undefined where it does not. */
  get cutShort(): string | undefined {
    return this.#cutShort;
  }

  /** @throws {CaptureError} where it is not gzip or was changed: after all that was before. */
  *[Symbol.iterator](): Generator<Uint8Array> {
    const source = this.#source;
    const stream = new ZStream();
    zlibInflateInit2(stream, WINDOW_BITS);
    stream.output = new Uint8Array(CHUNK_BYTES);
    try {
      // What follows the last member is not gzip's: zeros of a tape, mostly.
      do {
        yield* this.#unpackMember(stream);
        zlibInflateReset(stream);
      } while (
        this.#cutShort === undefined && source.ensure(2) &&
        source.u16(0, true) === MAGIC
      );
    } finally {
      zlibInflateEnd(stream);
    }
  }

  *#unpackMember(stream: ZStream): Generator<Uint8Array> {
    const source = this.#source;
    for (;;) {
      const ended = !source.ensure(1);
      stream.input = source.bytes;
      stream.next_in = source.start;
      stream.avail_in = source.available;
      stream.next_out = 0;
      stream.avail_out = CHUNK_BYTES;
      const status = zlibInflate(stream, Z_NO_FLUSH);
      source.skip(stream.next_in - source.start);
      if (stream.next_out > 0) yield stream.output.subarray(0, stream.next_out);
      if (status === Z_STREAM_END) return;
      if (status !== Z_OK && status !== Z_BUF_ERROR) {
        throw new CaptureError(
          source.offset,
          `${stream.msg || "what is not packed data"} (in gzip)`,
          "what was packed: the file was damaged",
        );
      }
      if (ended && stream.next_out < CHUNK_BYTES) {
        this.#cutShort =
          `the packed capture ends early: at byte ${source.offset} more of gzip was expected`;
        return;
      }
    }
  }
}
