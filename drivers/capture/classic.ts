/**
 * Classic pcap. A file is a header and records, all numbers in the byte order
 * of who wrote it, which the magic number shows:
 *
 * ```
 * ├ magic ┼ major, minor ┼ reserved ┼ reserved ┼ snap length ┼ link type ┤  u32 each
 * ├ seconds ┼ µs or ns ┼ captured ┼ original ┤ the captured bytes …
 * ```
 *
 * Older files are read as libpcap reads them (sf-pcap.c): before version 2.3,
 * and in 543.0 of DG/UX, the two lengths of a record are the other way round; in
 * 2.3 they are where more would have been captured than there was. Records of
 * Kuznetzov's "modified" pcap have 8 bytes more, about the interface, in front of
 * the packet.
 */

import { type ByteSource, CaptureError } from "./byte_source.ts";
import { Oddities } from "./oddities.ts";
import { describeOtherFormat, PCAP_EXPECTED } from "./other_formats.ts";
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
const FILE_HEADER_BYTES = 24;
/** Bytes of a record's header. */
const RECORD_HEADER_BYTES = 16;
/** Bytes of a record's header in a modified file. */
const MODIFIED_RECORD_HEADER_BYTES = 24;

/** Whether a version's records have the original length first. */
type LengthOrder = "captured-first" | "original-first" | "larger-is-original";

/** Reads classic pcap. */
export class ClassicReader implements CaptureReader {
  readonly format = "pcap";
  readonly oddities: Oddities = new Oddities();
  warning: string | undefined;
  readonly #source: ByteSource;
  readonly #littleEndian: boolean;
  /** Nanoseconds in one unit of a record's fraction. */
  readonly #unit: number;
  readonly #recordHeaderBytes: number;
  readonly #lengthOrder: LengthOrder;
  readonly #packet = emptyPacket();

  /** @throws {CaptureError} when the header is not classic pcap's. */
  constructor(source: ByteSource) {
    this.#source = source;
    if (!source.ensure(4)) throw headerCut(source);
    this.#littleEndian = isMagic(source.u32(0, true));
    const magic = source.u32(0, this.#littleEndian);
    if (!isMagic(magic)) {
      throw new CaptureError(0, describeOtherFormat(source), PCAP_EXPECTED);
    }
    this.#unit = magic === MAGIC_NANOSECONDS ? 1 : 1000;
    this.#packet.finerThanMicroseconds = this.#unit === 1;
    this.#recordHeaderBytes = magic === MAGIC_MODIFIED
      ? MODIFIED_RECORD_HEADER_BYTES
      : RECORD_HEADER_BYTES;
    if (!source.ensure(FILE_HEADER_BYTES)) throw headerCut(source);
    this.#lengthOrder = this.#readVersion();
    // The upper half says how long frame check sequences are.
    this.#packet.linkType = source.u32(20, this.#littleEndian) & 0xffff;
    source.skip(FILE_HEADER_BYTES);
  }

  get linkType(): number {
    return this.#packet.linkType;
  }
  get finerThanMicroseconds(): boolean {
    return this.#unit === 1;
  }
  get buffered(): number {
    return this.#source.unread - this.#packet.length;
  }

  next(): CapturePacket | undefined {
    const source = this.#source;
    const packet = this.#packet;
    const headerBytes = this.#recordHeaderBytes;
    if (this.warning !== undefined) return undefined;
    source.skip(packet.length);
    packet.length = 0;
    if (!source.ensure(headerBytes)) {
      if (source.available > 0) this.#endsWithin(headerBytes);
      else this.warning = source.cutShort;
      return undefined;
    }
    const length = this.#readLengths();
    if (!source.ensure(headerBytes + length)) {
      this.#endsWithin(headerBytes + length);
      return undefined;
    }
    this.#readTime();
    source.skip(headerBytes);
    packet.bytes = source.bytes;
    packet.start = source.start;
    packet.length = length;
    return packet;
  }

  #readVersion(): LengthOrder {
    const source = this.#source;
    const major = source.u16(4, this.#littleEndian);
    const minor = source.u16(6, this.#littleEndian);
    if (major === 543 && minor === 0) return "original-first";
    if (major !== 2) {
      throw new CaptureError(
        4,
        `version ${major}.${minor}`,
        "version 2 of pcap, or 543.0",
      );
    }
    if (minor > 4) {
      this.oddities.add(6, `version 2.${minor}`, "read as version 2.4");
    }
    if (minor < 3) return "original-first";
    return minor === 3 ? "larger-is-original" : "captured-first";
  }

  /** Sets the original length. Returns how many bytes were captured. */
  #readLengths(): number {
    const source = this.#source;
    const first = source.u32(8, this.#littleEndian);
    const second = source.u32(12, this.#littleEndian);
    const swapped = this.#lengthOrder === "original-first" ||
      this.#lengthOrder === "larger-is-original" && first > second;
    const captured = swapped ? second : first;
    const original = swapped ? first : second;
    const at = source.offset + (swapped ? 12 : 8);
    if (captured > CAPTURED_BYTES_MAX) {
      throw new CaptureError(
        at,
        `a captured length of ${captured} bytes`,
        `at most ${CAPTURED_BYTES_MAX}`,
      );
    }
    if (captured > original) {
      this.oddities.add(
        at,
        `${captured} bytes captured of a packet of ${original}`,
        `read as a packet of ${captured}`,
      );
    }
    this.#packet.originalLength = Math.max(captured, original);
    return captured;
  }

  /** A fraction of a second or more is carried over: only lengths can put a reader out of step. */
  #readTime(): void {
    const source = this.#source;
    const packet = this.#packet;
    const fraction = source.u32(4, this.#littleEndian);
    const unitsPerSecond = 1e9 / this.#unit;
    packet.seconds = source.u32(0, this.#littleEndian);
    packet.nanoseconds = fraction * this.#unit;
    if (fraction < unitsPerSecond) return;
    packet.seconds += Math.floor(fraction / unitsPerSecond);
    packet.nanoseconds = fraction % unitsPerSecond * this.#unit;
    this.oddities.add(
      source.offset + 4,
      `a time of ${fraction} ${this.#unit === 1 ? "ns" : "µs"} past a second`,
      "the whole seconds of it were carried over",
    );
  }

  #endsWithin(expected: number): void {
    const { offset, available, cutShort } = this.#source;
    this.warning = cutShort ??
      `the capture ends within a packet: at byte ${offset} there are ${available} bytes of ${expected}`;
  }
}

function isMagic(value: number): boolean {
  return value === MAGIC_MICROSECONDS || value === MAGIC_NANOSECONDS ||
    value === MAGIC_MODIFIED;
}

function headerCut(source: ByteSource): CaptureError {
  return new CaptureError(
    0,
    `the end of the file after ${source.available} bytes`,
    `a pcap header of ${FILE_HEADER_BYTES} bytes`,
  );
}
