/** Unpacks gzip (RFC 1952): members, one behind the other, each of DEFLATE with a checksum. */

import { BitSource, PackedDataError } from "./bit_source.ts";
import { type ByteSource, CaptureError } from "./byte_source.ts";
import { Inflater } from "./inflate.ts";

/** The first two bytes of a member, as a big-endian number. */
export const GZIP_MAGIC = 0x1f8b;

/** First two bytes of gzip, as one little-endian number. */
const MAGIC = 0x8b1f;

/** Flags of a member's header (section 2.3.1). */
const FLAG_HEADER_CHECKSUM = 2, FLAG_EXTRA = 4, FLAG_NAME = 8;
const FLAG_COMMENT = 16;
const DEFLATE = 8;

/** A file that is unpacked as it is read, in bounded memory. */
export class Unpacked implements Iterable<Uint8Array> {
  readonly #source: BitSource;

  /** Unpacks what `source` has from its window on: gzip. */
  constructor(source: ByteSource) {
    this.#source = new BitSource(restOf(source));
  }

  /** Packed bytes at hand. */
  get unread(): number {
    return this.#source.unread;
  }

  /** @throws {CaptureError} where it is not gzip, was changed, or ends too early: after all that was before. */
  *[Symbol.iterator](): Generator<Uint8Array> {
    try {
      // What follows the last member is not gzip's: zeros of a tape, mostly.
      do yield* unpackMember(this.#source); while (
        this.#source.peek(16) === MAGIC
      );
    } catch (error) {
      if (!(error instanceof PackedDataError)) throw error;
      const { offset, found, expected } = error;
      throw new CaptureError(offset, `${found} (in gzip)`, expected);
    }
  }
}

/** All bytes of `source`, as they are at hand. */
function* restOf(source: ByteSource): Generator<Uint8Array> {
  while (source.ensure(1)) {
    const { bytes, start, available } = source;
    yield bytes.subarray(start, start + available);
    source.skip(available);
  }
}

function* unpackMember(source: BitSource): Generator<Uint8Array> {
  passHeader(source);
  let checksum = 0;
  let length = 0;
  for (const chunk of new Inflater(source).chunks()) {
    checksum = crc32(chunk, checksum);
    length = length + chunk.length >>> 0;
    yield chunk;
  }
  source.align();
  const at = source.offset;
  const wanted = source.take(16) + source.take(16) * 65536;
  const wantedLength = source.take(16) + source.take(16) * 65536;
  if (wanted !== checksum || wantedLength !== length) {
    throw new PackedDataError(
      at,
      "a checksum or length of other bytes",
      "those of what was unpacked: the file was damaged",
    );
  }
}

/** ├ magic ┼ method ┼ flags ┼ time, 4 ┼ extra flags ┼ system ┤ extra, name, comment, checksum */
function passHeader(source: BitSource): void {
  source.take(16); // the magic number, seen before
  const method = source.take(8);
  if (method !== DEFLATE) {
    throw new PackedDataError(
      source.offset - 1,
      `compression method ${method}`,
      "8, DEFLATE",
    );
  }
  const flags = source.take(8);
  for (let i = 0; i < 6; i++) source.take(8);
  if (flags & FLAG_EXTRA) {
    for (let left = source.take(16); left > 0; left--) source.take(8);
  }
  if (flags & FLAG_NAME) { while (source.take(8) !== 0); }
  if (flags & FLAG_COMMENT) { while (source.take(8) !== 0); }
  if (flags & FLAG_HEADER_CHECKSUM) source.take(16);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) {
    value = value & 1 ? value >>> 1 ^ 0xedb88320 : value >>> 1;
  }
  return value;
});

/** The CRC of section 8 of the bytes behind those whose CRC is `before`. */
function crc32(bytes: Uint8Array, before: number): number {
  let value = ~before;
  for (let at = 0; at < bytes.length; at++) {
    value = CRC_TABLE[(value ^ bytes[at]!) & 255]! ^ value >>> 8;
  }
  return ~value >>> 0;
}
