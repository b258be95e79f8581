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
  /** Classic pcap: microseconds, or nanoseconds as if not given. pcapng has nanoseconds. */
  readonly unit?: "us" | "ns";
}

/** Writes a capture. */
export interface CaptureWriter {
  /**
   * Adds a packet; its bytes are copied.
   * @throws {RangeError} when it has more than {@link CAPTURED_BYTES_MAX} bytes.
   */
  write(packet: CapturePacket): void;
  /** Hands what was gathered to the sink. */
  flush(): void;
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

  constructor(sink: CaptureSink, options: WriterOptions) {
    this.#sink = sink;
    this.#littleEndian = options.littleEndian ?? true;
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
  packet(packet: CapturePacket): void {
    const { bytes, start, length } = packet;
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
    if (end > 0) this.#sink(this.#bytes.subarray(0, end));
  }
}

class ClassicWriter implements CaptureWriter {
  readonly #out: Gathering;
  readonly #unit: number;

  constructor(sink: CaptureSink, options: WriterOptions) {
    this.#out = new Gathering(sink, options);
    this.#unit = options.unit === "us" ? 1000 : 1;
    const out = this.#out;
    out.u32(this.#unit === 1 ? MAGIC_NANOSECONDS : MAGIC_MICROSECONDS);
    out.u16(2);
    out.u16(4);
    out.u32(0);
    out.u32(0);
    out.u32(CAPTURED_BYTES_MAX);
    out.u32(options.linkType ?? LINK_ETHERNET);
  }

  write(packet: CapturePacket): void {
    checkLength(packet);
    const out = this.#out;
    out.u32(packet.seconds);
    out.u32(Math.floor(packet.nanoseconds / this.#unit));
    out.u32(packet.length);
    out.u32(packet.originalLength);
    out.packet(packet);
    out.recordDone();
  }

  flush(): void {
    this.#out.flush();
  }
}

const EPB_FLAGS = 2;
const IF_TSRESOL = 9;

class PcapngWriter implements CaptureWriter {
  readonly #out: Gathering;

  constructor(sink: CaptureSink, options: WriterOptions) {
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
    out.u32(CAPTURED_BYTES_MAX);
    out.u16(IF_TSRESOL);
    out.u16(1);
    out.u8(9);
    out.pad();
    out.u32(0); // The end of the options.
    out.u32(32);
  }

  write(packet: CapturePacket): void {
    checkLength(packet);
    const out = this.#out;
    const { seconds, nanoseconds, length } = packet;
    const total = 32 + length + (-length & 3) +
      (packet.direction === 0 ? 0 : 12);
    out.u32(ENHANCED_PACKET);
    out.u32(total);
    out.u32(0);
    // seconds * 1e9 + nanoseconds in 64 bits: as (high * 2^16 + low) * 1e9.
    const highPart = Math.floor(seconds / 65536) * 1e9;
    const lowPart = highPart % 65536 * 65536 + seconds % 65536 * 1e9 +
      nanoseconds;
    out.u32(Math.floor(highPart / 65536) + Math.floor(lowPart / 4294967296));
    out.u32(lowPart % 4294967296);
    out.u32(length);
    out.u32(packet.originalLength);
    out.packet(packet);
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

  flush(): void {
    this.#out.flush();
  }
}

function checkLength({ length }: CapturePacket): void {
  if (length > CAPTURED_BYTES_MAX) {
    throw new RangeError(
      `capture: a packet of ${length} bytes; at most ${CAPTURED_BYTES_MAX} can be written`,
    );
  }
}
