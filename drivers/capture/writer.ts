/** Writing captures: packets are gathered and go out in batches. */

import { MAGIC_MICROSECONDS, MAGIC_NANOSECONDS } from "./classic.ts";
import {
  CAPTURED_BYTES_MAX,
  type CapturePacket,
  LINK_ETHERNET,
} from "./packet.ts";
import {
  BYTE_ORDER_MAGIC,
  ENHANCED_PACKET,
  INTERFACE_DESCRIPTION,
  SECTION_HEADER,
} from "./pcapng.ts";

/** Bytes gathered before they are written. */
const BATCH_BYTES = 64 * 1024;
/** The most bytes of a record around its packet. */
const RECORD_OVERHEAD_BYTES_MAX = 64;

/** Takes bytes in the order of the file; they are the writer's again afterwards. */
export type CaptureSink = (bytes: Uint8Array) => void;

/** How a capture is written. */
export interface WriterOptions {
  /** LINKTYPE_… of all packets; Ethernet if not given. */
  readonly linkType?: number;
  /** Byte order of the numbers; little-endian if not given. */
  readonly littleEndian?: boolean;
  /**
   * Unit of times in classic pcap: microseconds, which every program reads, if
   * not given; finer parts are cut off. pcapng has nanoseconds.
   */
  readonly unit?: "us" | "ns";
  /** The most bytes of a packet that are written, as the header says too; {@link CAPTURED_BYTES_MAX} if not given. */
  readonly snapBytes?: number;
}

/** Writes a capture. */
export interface CaptureWriter {
  /**
   * Adds a packet; its bytes are copied. A time that the format cannot hold
   * becomes the nearest that it can, which {@link warning} counts.
   * @throws {RangeError} when it has more than {@link CAPTURED_BYTES_MAX} bytes.
   */
  write(packet: CapturePacket): void;
  /** Hands what was gathered to the sink. */
  flush(): void;
  /** Bytes that were written to the file and gathered for it. */
  readonly writtenBytes: number;
  /** Packets whose time the format cannot hold, in words; undefined for none. */
  readonly warning: string | undefined;
}

/** Makes a writer of classic pcap; the file's header goes out with the first batch. */
export function makePcapWriter(
  sink: CaptureSink,
  options: WriterOptions = {},
): CaptureWriter {
  return new ClassicWriter(sink, options);
}

/** Makes a writer of pcapng: one section, one interface, nanoseconds. */
export function makePcapngWriter(
  sink: CaptureSink,
  options: WriterOptions = {},
): CaptureWriter {
  return new PcapngWriter(sink, options);
}

/** What both formats have: a buffer of numbers and bytes, and when it goes out. */
class Gathering {
  readonly #sink: CaptureSink;
  readonly #littleEndian: boolean;
  readonly #bytes = new Uint8Array(
    BATCH_BYTES + CAPTURED_BYTES_MAX + RECORD_OVERHEAD_BYTES_MAX,
  );
  readonly #view = new DataView(this.#bytes.buffer);
  #end = 0;
  #flushedBytes = 0;

  constructor(sink: CaptureSink, options: WriterOptions) {
    this.#sink = sink;
    this.#littleEndian = options.littleEndian ?? true;
  }

  get writtenBytes(): number {
    return this.#flushedBytes + this.#end;
  }

  u8(value: number): void {
    this.#bytes[this.#end++] = value;
  }
  u16(value: number): void {
    this.#view.setUint16(this.#end, value, this.#littleEndian);
    this.#end += 2;
  }
  u32(value: number): void {
    this.#view.setUint32(this.#end, value, this.#littleEndian);
    this.#end += 4;
  }
  bytesOf({ bytes, start }: CapturePacket, length: number): void {
    this.#bytes.set(bytes.subarray(start, start + length), this.#end);
    this.#end += length;
  }
  pad(): void {
    while (this.#end & 3) this.u8(0);
  }
  recordDone(): void {
    if (this.#end >= BATCH_BYTES) this.flush();
  }
  flush(): void {
    const end = this.#end;
    this.#end = 0;
    this.#flushedBytes += end;
    if (end > 0) this.#sink(this.#bytes.subarray(0, end));
  }
}

/** 2106-02-07T06:28:15 UTC, the last second of 32 bits. */
const CLASSIC_SECONDS_MAX = 0xffffffff;
/** The last nanosecond of 64 bits since 1970, in the year 2554. */
const PCAPNG_SECONDS_MAX = 18446744073;
const PCAPNG_LAST_NANOSECONDS = 709551615;

/** Times within what a format can hold; the others are counted. */
class TimeRange {
  seconds = 0;
  nanoseconds = 0;
  readonly #format: string;
  readonly #secondsMax: number;
  readonly #lastNanoseconds: number;
  #packets = 0;
  #outside = 0;
  #first = "";

  constructor(format: string, secondsMax: number, lastNanoseconds: number) {
    this.#format = format;
    this.#secondsMax = secondsMax;
    this.#lastNanoseconds = lastNanoseconds;
  }

  /** Takes the next packet's time, or the nearest one that can be held. */
  take({ seconds, nanoseconds }: CapturePacket): void {
    this.#packets++;
    this.seconds = seconds;
    this.nanoseconds = nanoseconds;
    const tooLate = seconds > this.#secondsMax ||
      seconds === this.#secondsMax && nanoseconds > this.#lastNanoseconds;
    if (seconds >= 0 && !tooLate) return;
    this.seconds = tooLate ? this.#secondsMax : 0;
    this.nanoseconds = tooLate ? this.#lastNanoseconds : 0;
    if (this.#outside++ > 0) return;
    this.#first =
      `packet ${this.#packets}, of ${seconds} seconds since 1970, as ${this.seconds}`;
  }

  get warning(): string | undefined {
    if (this.#outside === 0) return undefined;
    const times = this.#outside === 1
      ? "the time of a packet, which was"
      : `the times of ${this.#outside} packets, which were`;
    return `capture: ${this.#format} cannot hold ${times} written with the nearest that it can: first ${this.#first}`;
  }
}

class ClassicWriter implements CaptureWriter {
  readonly #out: Gathering;
  readonly #unit: number;
  readonly #snapBytes: number;
  readonly #time = new TimeRange("pcap", CLASSIC_SECONDS_MAX, 999999999);

  constructor(sink: CaptureSink, options: WriterOptions) {
    this.#out = new Gathering(sink, options);
    this.#unit = options.unit === "ns" ? 1 : 1000;
    this.#snapBytes = options.snapBytes ?? CAPTURED_BYTES_MAX;
    const out = this.#out;
    out.u32(this.#unit === 1 ? MAGIC_NANOSECONDS : MAGIC_MICROSECONDS);
    out.u16(2);
    out.u16(4);
    out.u32(0);
    out.u32(0);
    out.u32(this.#snapBytes);
    out.u32(options.linkType ?? LINK_ETHERNET);
  }

  write(packet: CapturePacket): void {
    const length = lengthWithin(packet, this.#snapBytes);
    const time = this.#time;
    const out = this.#out;
    time.take(packet);
    out.u32(time.seconds);
    out.u32(Math.floor(time.nanoseconds / this.#unit));
    out.u32(length);
    out.u32(Math.max(packet.originalLength, packet.length));
    out.bytesOf(packet, length);
    out.recordDone();
  }

  flush(): void {
    this.#out.flush();
  }
  get writtenBytes(): number {
    return this.#out.writtenBytes;
  }
  get warning(): string | undefined {
    return this.#time.warning;
  }
}

const EPB_FLAGS = 2;
const IF_TSRESOL = 9;

class PcapngWriter implements CaptureWriter {
  readonly #out: Gathering;
  readonly #snapBytes: number;
  readonly #time = new TimeRange(
    "pcapng",
    PCAPNG_SECONDS_MAX,
    PCAPNG_LAST_NANOSECONDS,
  );

  constructor(sink: CaptureSink, options: WriterOptions) {
    this.#snapBytes = options.snapBytes ?? CAPTURED_BYTES_MAX;
    const out = this.#out = new Gathering(sink, options);
    out.u32(SECTION_HEADER);
    out.u32(28);
    out.u32(BYTE_ORDER_MAGIC);
    out.u16(1);
    out.u16(0);
    out.u32(0xffffffff); // The section's length is not known.
    out.u32(0xffffffff);
    out.u32(28);
    out.u32(INTERFACE_DESCRIPTION);
    out.u32(32);
    out.u16(options.linkType ?? LINK_ETHERNET);
    out.u16(0);
    out.u32(this.#snapBytes);
    out.u16(IF_TSRESOL);
    out.u16(1);
    out.u8(9);
    out.pad();
    out.u32(0); // The end of the options.
    out.u32(32);
  }

  write(packet: CapturePacket): void {
    const length = lengthWithin(packet, this.#snapBytes);
    const out = this.#out;
    const total = 32 + length + (-length & 3) +
      (packet.direction === 0 ? 0 : 12);
    out.u32(ENHANCED_PACKET);
    out.u32(total);
    out.u32(0);
    this.#writeTime(packet);
    out.u32(length);
    out.u32(Math.max(packet.originalLength, packet.length));
    out.bytesOf(packet, length);
    out.pad();
    if (packet.direction !== 0) {
      out.u16(EPB_FLAGS);
      out.u16(4);
      out.u32(packet.direction);
      out.u32(0);
    }
    out.u32(total);
    out.recordDone();
  }

  /** Writes seconds * 1e9 + nanoseconds in 64 bits: as (high * 2^16 + low) * 1e9. */
  #writeTime(packet: CapturePacket): void {
    const time = this.#time;
    time.take(packet);
    const { seconds, nanoseconds } = time;
    const highPart = Math.floor(seconds / 65536) * 1e9;
    const lowPart = highPart % 65536 * 65536 + seconds % 65536 * 1e9 +
      nanoseconds;
    this.#out.u32(
      Math.floor(highPart / 65536) + Math.floor(lowPart / 4294967296),
    );
    this.#out.u32(lowPart % 4294967296);
  }

  flush(): void {
    this.#out.flush();
  }
  get writtenBytes(): number {
    return this.#out.writtenBytes;
  }
  get warning(): string | undefined {
    return this.#time.warning;
  }
}

/** Bytes of the packet that are written. */
function lengthWithin({ length }: CapturePacket, snapBytes: number): number {
  if (length > CAPTURED_BYTES_MAX) {
    throw new RangeError(
      `capture: a packet of ${length} bytes; at most ${CAPTURED_BYTES_MAX} can be written`,
    );
  }
  return Math.min(length, snapBytes);
}
