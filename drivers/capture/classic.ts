/**
 * Classic pcap. A file is a header and records, all numbers in the byte order
 * of who wrote it, which the magic number shows:
 *
 * ```
 * ├ magic ┼ major, minor ┼ reserved ┼ reserved ┼ snap length ┼ link type ┤  u32 each
 * ├ seconds ┼ µs or ns ┼ captured ┼ original ┤ the captured bytes …
 * ```
 */

import { type ByteSource, CaptureError } from "./byte_source.ts";
import {
  CAPTURED_BYTES_MAX,
  type CapturePacket,
  type CaptureReader,
  emptyPacket,
} from "./packet.ts";

/** Magic number of a file with microseconds. */
export const MAGIC_MICROSECONDS = 0xa1b2c3d4;
/** Magic number of a file with nanoseconds. */
export const MAGIC_NANOSECONDS = 0xa1b23c4d;
/** Magic number of Kuznetzov's variant, whose records are longer. */
const MAGIC_MODIFIED = 0xa1b2cd34;
/** Bytes of the file's header. */
export const FILE_HEADER_BYTES = 24;
/** Bytes of a record's header. */
export const RECORD_HEADER_BYTES = 16;

/** Reads classic pcap. */
export class ClassicReader implements CaptureReader {
  readonly format = "pcap";
  warning: string | undefined;
  readonly #source: ByteSource;
  readonly #littleEndian: boolean;
  /** Nanoseconds in one unit of a record's fraction. */
  readonly #unit: number;
  readonly #packet = emptyPacket();

  /** @throws {CaptureError} when the header is not classic pcap's. */
  constructor(source: ByteSource) {
    this.#source = source;
    if (!source.ensure(4)) throw headerCut(source);
    this.#littleEndian = isMagic(source.u32(0, true));
    const magic = source.u32(0, this.#littleEndian);
    if (!isMagic(magic)) {
      throw new CaptureError(
        0,
        magic === MAGIC_MODIFIED || source.u32(0, true) === MAGIC_MODIFIED
          ? 'a "modified" pcap (a1b2cd34)'
          : `the bytes ${magic.toString(16).padStart(8, "0")}`,
        "a pcap or pcapng header (editcap -F pcapng converts other captures)",
      );
    }
    this.#unit = magic === MAGIC_NANOSECONDS ? 1 : 1000;
    if (!source.ensure(FILE_HEADER_BYTES)) throw headerCut(source);
    const major = source.u16(4, this.#littleEndian);
    if (major !== 2) {
      throw new CaptureError(4, `version ${major}`, "version 2 of pcap");
    }
    // The upper half says how long frame check sequences are.
    this.#packet.linkType = source.u32(20, this.#littleEndian) & 0xffff;
    source.skip(FILE_HEADER_BYTES);
  }

  get buffered(): number {
    return this.#source.unread - this.#packet.length;
  }

  next(): CapturePacket | undefined {
    const source = this.#source;
    const packet = this.#packet;
    if (this.warning !== undefined) return undefined;
    source.skip(packet.length);
    packet.length = 0;
    if (!source.ensure(RECORD_HEADER_BYTES)) {
      if (source.available > 0) this.#endsWithin(RECORD_HEADER_BYTES);
      return undefined;
    }
    const fraction = source.u32(4, this.#littleEndian);
    const length = source.u32(8, this.#littleEndian);
    if (length > CAPTURED_BYTES_MAX) {
      throw new CaptureError(
        source.offset + 8,
        `a captured length of ${length} bytes`,
        `at most ${CAPTURED_BYTES_MAX}`,
      );
    }
    if (fraction * this.#unit >= 1e9) {
      throw new CaptureError(
        source.offset + 4,
        `a time of ${fraction} ${this.#unit === 1 ? "ns" : "µs"} past a second`,
        "less than a second",
      );
    }
    if (!source.ensure(RECORD_HEADER_BYTES + length)) {
      this.#endsWithin(RECORD_HEADER_BYTES + length);
      return undefined;
    }
    packet.seconds = source.u32(0, this.#littleEndian);
    packet.nanoseconds = fraction * this.#unit;
    packet.originalLength = source.u32(12, this.#littleEndian);
    source.skip(RECORD_HEADER_BYTES);
    packet.bytes = source.bytes;
    packet.start = source.start;
    packet.length = length;
    return packet;
  }

  #endsWithin(expected: number): void {
    this.warning =
      `the capture ends within a packet: at byte ${this.#source.offset} there are ${this.#source.available} bytes of ${expected}`;
  }
}

function isMagic(value: number): boolean {
  return value === MAGIC_MICROSECONDS || value === MAGIC_NANOSECONDS;
}

function headerCut(source: ByteSource): CaptureError {
  return new CaptureError(
    0,
    `the end of the file after ${source.available} bytes`,
    `a pcap header of ${FILE_HEADER_BYTES} bytes`,
  );
}
