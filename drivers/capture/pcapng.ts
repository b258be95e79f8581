/**
 * pcapng. A file is blocks; a section header block starts a section with its
 * own byte order and interfaces; what we do not know is skipped:
 *
 * ```
 * ├ type ┼ total length ┤ body, padded to 4 … ├ total length ┤  u32 each
 * ```
 */

import { type ByteSource, CaptureError } from "./byte_source.ts";
import { Oddities } from "./oddities.ts";
import {
  CAPTURED_BYTES_MAX,
  type CapturePacket,
  type CaptureReader,
  emptyPacket,
} from "./packet.ts";

/** Type of a section header block, the same in both byte orders. */
export const SECTION_HEADER = 0x0a0d0d0a;
/** Shows a section's byte order. */
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Type of an interface description block. */
export const INTERFACE_DESCRIPTION = 1;
/** Type of the packet block that enhanced ones replaced: the same but for the interface. */
const OLD_PACKET = 2;
/** Type of a simple packet block. */
const SIMPLE_PACKET = 3;
/** Type of an enhanced packet block. */
export const ENHANCED_PACKET = 6;

/** Bytes of a block around its body. */
const BLOCK_BYTES_MIN = 12;
/** Interfaces of one section: some 100 MB of memory. The format has no limit. */
const INTERFACES_MAX = 1 << 20;

const IF_TSRESOL = 9;
const IF_TSOFFSET = 14;

/** How an interface counts time. */
interface InterfaceTime {
  /** Units of its timestamps in a second. */
  readonly unitsPerSecond: bigint;
  /** Seconds to add to its timestamps. */
  readonly offsetSeconds: bigint;
}

interface Interface extends InterfaceTime {
  readonly linkType: number;
  readonly snapLength: number;
}

/** Reads pcapng. */
export class PcapngReader implements CaptureReader {
  readonly format = "pcapng";
  readonly oddities: Oddities = new Oddities();
  warning: string | undefined;
  readonly #source: ByteSource;
  readonly #packet = emptyPacket();
  #littleEndian = true;
  #interfaces: Interface[] = [];
  /** Bytes of the packet block under way, from the window on, its last length included. */
  #restBytes = 0;
  #blockBytes = 0;

  /** @throws {CaptureError} when the first section header is none. */
  constructor(source: ByteSource) {
    this.#source = source;
    if (!source.ensure(BLOCK_BYTES_MIN) || !this.#block()) {
      throw new CaptureError(
        0,
        "the end of the file",
        "a pcapng section header block",
      );
    }
    this.#readFirstInterface();
  }

  /** Reads the interface that mostly follows: what it says is to be known before any packet. */
  #readFirstInterface(): void {
    const source = this.#source;
    if (!this.#endBlock() || !source.ensure(BLOCK_BYTES_MIN)) return;
    if (source.u32(0, this.#littleEndian) === INTERFACE_DESCRIPTION) {
      this.#block();
    }
  }

  get linkType(): number | undefined {
    return this.#interfaces[0]?.linkType;
  }
  get finerThanMicroseconds(): boolean {
    return (this.#interfaces[0]?.unitsPerSecond ?? 0n) > 1000000n;
  }
  get buffered(): number {
    return Math.max(0, this.#source.unread - this.#restBytes);
  }

  next(): CapturePacket | undefined {
    const source = this.#source;
    while (this.warning === undefined) {
      this.#packet.length = 0;
      if (this.#restBytes > 0 && !this.#endBlock()) return undefined;
      if (!source.ensure(BLOCK_BYTES_MIN)) {
        if (source.available > 0) this.#endsWithin(BLOCK_BYTES_MIN);
        else this.warning = source.cutShort;
        return undefined;
      }
      if (!this.#block()) return undefined;
      if (this.#packet.length > 0 || this.#gotEmpty) return this.#packet;
    }
    return undefined;
  }

  /** Whether the block under way is a packet of no bytes: a packet nevertheless. */
  #gotEmpty = false;

  /** Reads into the next block; false when the file ends within it. */
  #block(): boolean {
    const source = this.#source;
    this.#gotEmpty = false;
    const type = source.u32(0, this.#littleEndian);
    if (type === SECTION_HEADER) this.#readByteOrder();
    const length = source.u32(4, this.#littleEndian);
    if (length < BLOCK_BYTES_MIN || length % 4 !== 0) {
      throw new CaptureError(
        source.offset + 4,
        `a block of ${length} bytes`,
        `a multiple of 4 from ${BLOCK_BYTES_MIN}`,
      );
    }
    this.#blockBytes = length;
    this.#restBytes = length;
    if (type === SECTION_HEADER) return this.#section();
    if (type === INTERFACE_DESCRIPTION) return this.#description();
    if (type === ENHANCED_PACKET || type === OLD_PACKET) {
      return this.#enhanced(type);
    }
    if (type === SIMPLE_PACKET) return this.#simple();
    return true;
  }

  /** Passes over what is left of the block, whose last field repeats its length. */
  #endBlock(): boolean {
    const source = this.#source;
    const rest = this.#restBytes;
    this.#restBytes = 0;
    if (!source.skip(rest - 4) || !source.ensure(4)) {
      this.#endsWithin(rest);
      return false;
    }
    const length = source.u32(0, this.#littleEndian);
    if (length !== this.#blockBytes) {
      throw new CaptureError(
        source.offset,
        `a block of ${this.#blockBytes} bytes that ends with a length of ${length}`,
        "the same length twice",
      );
    }
    return source.skip(4);
  }

  #endsWithin(expected: number): void {
    const { offset, cutShort } = this.#source;
    this.warning = cutShort ??
      `the capture ends within a block: at byte ${offset}, ${expected} bytes of it were expected`;
  }

  /** Makes the first `count` bytes of the block there; it is to be that long. */
  #body(count: number, what: string): boolean {
    if (count + 4 > this.#blockBytes) {
      throw new CaptureError(
        this.#source.offset + 4,
        `${what} block of ${this.#blockBytes} bytes`,
        `at least ${count + 4}`,
      );
    }
    if (this.#source.ensure(count)) return true;
    this.#endsWithin(count);
    return false;
  }

  #readByteOrder(): void {
    const source = this.#source;
    this.#littleEndian = source.u32(8, true) === BYTE_ORDER_MAGIC;
    if (source.u32(8, this.#littleEndian) !== BYTE_ORDER_MAGIC) {
      throw new CaptureError(
        source.offset + 8,
        `a byte-order magic of ${source.u32(8, false).toString(16)}`,
        "1a2b3c4d in either order",
      );
    }
  }

  #section(): boolean {
    if (!this.#body(24, "a section header")) return false;
    const major = this.#source.u16(12, this.#littleEndian);
    if (major !== 1) {
      throw new CaptureError(
        this.#source.offset + 12,
        `version ${major}`,
        "version 1 of pcapng",
      );
    }
    this.#interfaces = [];
    return true;
  }

  /** ├ link type, reserved ┼ snap length ┤ options … */
  #description(): boolean {
    const source = this.#source;
    if (this.#interfaces.length === INTERFACES_MAX) {
      throw new CaptureError(
        source.offset,
        "one more interface of this section",
        `at most ${INTERFACES_MAX} (editcap -r FILE OUT 1-1000000 cuts a capture)`,
      );
    }
    if (!this.#body(16, "an interface description")) return false;
    const linkType = source.u16(8, this.#littleEndian);
    const snapLength = source.u32(12, this.#littleEndian);
    if (!this.#pass(16)) return false;
    const time = this.#timeOptions();
    if (time === undefined) return false;
    this.#interfaces.push({ linkType, snapLength, ...time });
    return true;
  }

  /**
   * Finds how an interface counts time among the options that are left of the
   * block; undefined when the file ends within them.
   */
  #timeOptions(): InterfaceTime | undefined {
    const source = this.#source;
    const littleEndian = this.#littleEndian;
    let unitsPerSecond = 1000000n;
    let offsetSeconds = 0n;
    while (this.#restBytes >= 4 + 4) {
      if (!this.#has(4)) return undefined;
      const code = source.u16(0, littleEndian);
      const length = source.u16(2, littleEndian);
      if (code === 0) break;
      if (4 + length + 4 > this.#restBytes) {
        this.oddities.add(
          source.offset + 2,
          `an option of ${length} bytes`,
          "more than is left of its block: passed over",
        );
        break;
      }
      if (code === IF_TSRESOL && length === 1) {
        if (!this.#has(5)) return undefined;
        unitsPerSecond = unitsOf(source.bytes[source.start + 4]!);
      } else if (code === IF_TSOFFSET && length === 8) {
        if (!this.#has(12)) return undefined;
        const first = BigInt(source.u32(4, littleEndian));
        const second = BigInt(source.u32(8, littleEndian));
        const value = littleEndian
          ? second << 32n | first
          : first << 32n | second;
        offsetSeconds = BigInt.asIntN(64, value);
      }
      // The last one may lack its padding.
      const padded = 4 + length + (-length & 3);
      if (!this.#pass(Math.min(padded, this.#restBytes - 4))) return undefined;
    }
    return { unitsPerSecond, offsetSeconds };
  }

  /** Whether the file goes on for `count` bytes of this block. */
  #has(count: number): boolean {
    if (this.#source.ensure(count)) return true;
    this.#endsWithin(this.#restBytes);
    return false;
  }

  /** Passes over `count` bytes of the block; false when the file ends before. */
  #pass(count: number): boolean {
    if (!this.#source.skip(count)) {
      this.#endsWithin(this.#restBytes);
      return false;
    }
    this.#restBytes -= count;
    return true;
  }

  /** ├ interface ┼ time high ┼ time low ┼ captured ┼ original ┤ the bytes … */
  #enhanced(type: number): boolean {
    if (!this.#body(28, "a packet")) return false;
    const source = this.#source;
    const littleEndian = this.#littleEndian;
    const index = type === ENHANCED_PACKET
      ? source.u32(8, littleEndian)
      : source.u16(8, littleEndian);
    const from = this.#interface(index);
    setTime(
      this.#packet,
      source.u32(12, littleEndian),
      source.u32(16, littleEndian),
      from,
    );
    const captured = source.u32(20, littleEndian);
    const original = source.u32(24, littleEndian);
    if (captured > original && captured <= CAPTURED_BYTES_MAX) {
      this.oddities.add(
        source.offset + 20,
        `${captured} bytes captured of a packet of ${original}`,
        `read as a packet of ${captured}`,
      );
    }
    this.#packet.originalLength = Math.max(captured, original);
    this.#packet.interfaceIndex = index;
    this.#packet.linkType = from.linkType;
    return this.#captured(28, captured);
  }

  /** ├ original ┤ the bytes, cut to the interface's snap length … */
  #simple(): boolean {
    if (!this.#body(12, "a simple packet")) return false;
    const from = this.#interface(0);
    const original = this.#source.u32(8, this.#littleEndian);
    this.#packet.seconds = 0;
    this.#packet.nanoseconds = 0;
    this.#packet.finerThanMicroseconds = false;
    this.#packet.originalLength = original;
    this.#packet.interfaceIndex = 0;
    this.#packet.linkType = from.linkType;
    const snapLength = from.snapLength === 0 ? original : from.snapLength;
    return this.#captured(12, Math.min(original, snapLength));
  }

  #interface(index: number): Interface {
    const found = this.#interfaces[index];
    if (found === undefined) {
      throw new CaptureError(
        this.#source.offset + 8,
        `a packet of interface ${index}`,
        `one of the ${this.#interfaces.length} that were described before`,
      );
    }
    return found;
  }

  #captured(at: number, length: number): boolean {
    const source = this.#source;
    if (
      length > CAPTURED_BYTES_MAX ||
      at + length + (-length & 3) + 4 > this.#blockBytes
    ) {
      throw new CaptureError(
        source.offset + (at === 12 ? 8 : 20),
        `a captured length of ${length} bytes`,
        `at most ${CAPTURED_BYTES_MAX}, in a block of ${this.#blockBytes}`,
      );
    }
    if (!this.#body(at + length, "a packet")) return false;
    source.skip(at);
    this.#restBytes -= at;
    this.#packet.bytes = source.bytes;
    this.#packet.start = source.start;
    this.#packet.length = length;
    this.#gotEmpty = length === 0;
    return true;
  }
}

/** `if_tsresol`: 10 to the minus n, or 2 to the minus n with the top bit set. */
function unitsOf(resolution: number): bigint {
  const power = BigInt(resolution & 0x7f);
  return (resolution < 128 ? 10n : 2n) ** power;
}

/** Sets the packet's time from 64 bits of an interface's units. */
function setTime(
  packet: CapturePacket,
  high: number,
  low: number,
  { unitsPerSecond, offsetSeconds }: Interface,
): void {
  const units = BigInt(high) << 32n | BigInt(low);
  packet.finerThanMicroseconds = unitsPerSecond > 1000000n;
  packet.seconds = Number(units / unitsPerSecond + offsetSeconds);
  packet.nanoseconds = Number(
    units % unitsPerSecond * 1000000000n / unitsPerSecond,
  );
}
