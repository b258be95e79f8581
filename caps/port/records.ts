/**
 * Byte strings: how a batch of packets crosses a port in one message.
 *
 * A byte string is an ArrayBuffer of {@link STRING_BYTES} that holds records,
 * one a packet, each a multiple of 8 bytes:
 *
 * ```
 *  0        4       8       10     12       14         15    16         18           20  24
 *  ├ length ┼ frame ┼ start ┼ page ┼ stride ┼ checksum ┼ gso ┼ gso size ┼ capability ┼ 0 ┤ bytes …
 *    u32      u32     u16     u16    u16      u8         u8    u16        u16          u32
 * ```
 *
 * `length` bytes of packet. A small packet lies in the record itself, `start`
 * bytes from its beginning (`page` is {@link INLINE}); a large one lies in the
 * message's page number `page`, `start` bytes from that page's beginning, and
 * `frame` is the frame of packet memory that this page is. A `page` may be up to
 * 16 pages that lie side by side in packet memory, with a packet in each, or an
 * extent of 17 with one packet; `frame` is then the first. `stride` bytes on
 * comes the next record. `checksum`, `gso` and `gso size` say what is known of the
 * packet's checksum and segmentation (caps/port/offload.ts). `capability` is the
 * place, in the message's list of capabilities, of the one that the packet belongs
 * to: one string serves all capabilities of a holder. This is the answer that says
 * where the data is, after Shapiro and Frantz (1998): here is a byte string, here
 * is a page.
 *
 * On the way back the same string carries what is to be sent: a record whose
 * `length` is 0 only gives its page back. Any other is sent under the capability
 * that it names. Of the rest, two wishes are read: that
 * the checksum be completed (`checksum` is CHECKSUM_PARTIAL), and that a
 * super-packet be sent as segments of `gso size` bytes of payload. What kind it
 * is, the driver reads from the packet's headers.
 */

import { EXTENT_BYTES, PAGE_BYTES } from "../memory/memory.ts";

/** Bytes of a byte string. */
export const STRING_BYTES = 65536;

/** Byte strings that go round between a driver and one holder. */
export const STRINGS_PER_HOLDER = 8;

/**
 * Byte strings of its own that a holder may have under way, for frames that
 * answer nothing: 2 MiB, so that one who sends super-packets fills a whole turn
 * of the driver's.
 */
export const OWN_STRINGS_MAX = 32;

/**
 * Messages that a holder can have under way to its driver at most, if it keeps
 * to the protocol: each takes a byte string, of the driver's or of its own, and
 * every string is sent on only once it has come back.
 */
export const IN_FLIGHT_MAX: number = STRINGS_PER_HOLDER + OWN_STRINGS_MAX;

/** Bytes of a record before its packet. */
export const RECORD_BYTES = 24;

/** The most records that fit a byte string. */
export const RECORDS_MAX: number = Math.floor(STRING_BYTES / RECORD_BYTES);

/** The `page` of a packet that lies in the byte string itself. */
export const INLINE = 0xffff;

/**
 * The most pages side by side that cross as one buffer, extents aside: a
 * packet's place in it must fit 16 bits.
 */
export const RUN_PAGES_MAX = 16;

/** The most bytes of packet that one record can hold in the string itself. */
export const INLINE_BYTES_MAX = STRING_BYTES - RECORD_BYTES - 8;

/** Packets from the driver to a holder: all of a batch that are for its capabilities, if they fit. */
export interface Delivery {
  /** The capabilities that the records name, by their tags in the holder's own table. */
  readonly capabilities: readonly bigint[];
  /** A byte string. */
  readonly records: ArrayBuffer;
  /** Records in it. */
  readonly count: number;
  /** The pages of the large packets, those side by side as one buffer. */
  readonly pages: ArrayBuffer[];
}

/** Packets to send and pages to give back, from a holder to the driver. */
export interface Submission {
  /** The capabilities that the records are sent under; at most {@link RECORDS_MAX}. */
  readonly capabilities: readonly bigint[];
  /** A byte string. */
  readonly records: ArrayBuffer;
  /** Records in it. */
  readonly count: number;
  /** The pages that the records name. */
  readonly pages: ArrayBuffer[];
}

/**
 * Posts a message, moving its byte string and its pages.
 * @returns false when it was not taken: they are then still the caller's.
 */
export function postRecords(
  port: { post(message: Delivery, transfer: Transferable[]): boolean },
  message: Delivery,
): boolean {
  return port.post(message, [message.records, ...message.pages]);
}

/** A byte string as numbers: made once a message, not once a packet. */
export class RecordView {
  /** The string's bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The string as 32-bit words. */
  readonly words: Uint32Array<ArrayBuffer>;
  readonly #u16: Uint16Array<ArrayBuffer>;

  /** A view of `string`, which is {@link STRING_BYTES} long. */
  constructor(string: ArrayBuffer) {
    this.bytes = new Uint8Array(string);
    this.words = new Uint32Array(string);
    this.#u16 = new Uint16Array(string);
  }

  /** Bytes of packet of the record at `at`. */
  length(at: number): number {
    return this.words[at >>> 2]!;
  }

  /** Sets the bytes of packet. */
  setLength(at: number, length: number): void {
    this.words[at >>> 2] = length;
  }

  /** The frame that the record's page is. */
  frame(at: number): number {
    return this.words[(at >>> 2) + 1]!;
  }

  /** Where the packet starts: in the record, or in its page. */
  start(at: number): number {
    return this.#u16[(at >>> 1) + 4]!;
  }

  /** Sets where the packet starts. */
  setStart(at: number, start: number): void {
    this.#u16[(at >>> 1) + 4] = start;
  }

  /** The number of the message's page, or {@link INLINE}. */
  page(at: number): number {
    return this.#u16[(at >>> 1) + 5]!;
  }

  /** Sets the number of the message's page. */
  setPage(at: number, page: number): void {
    this.#u16[(at >>> 1) + 5] = page;
  }

  /** Bytes from this record to the next. */
  stride(at: number): number {
    return this.#u16[(at >>> 1) + 6]!;
  }

  /** What is known of the packet's transport checksum: one of CHECKSUM_…. */
  checksum(at: number): number {
    return this.bytes[at + 14]!;
  }

  /** What is known of its checksum and segmentation, as one word (caps/port/offload.ts). */
  offload(at: number): number {
    const half = at >>> 1;
    return (this.#u16[half + 7]! | this.#u16[half + 8]! << 16) >>> 0;
  }

  /** Says what is known of them. */
  setOffload(at: number, offload: number): void {
    const half = at >>> 1;
    this.#u16[half + 7] = offload;
    this.#u16[half + 8] = offload >>> 16;
  }

  /** The place of the packet's capability in the message's list. */
  capability(at: number): number {
    return this.#u16[(at >>> 1) + 9]!;
  }

  /** Sets the place of the packet's capability. */
  setCapability(at: number, capability: number): void {
    this.#u16[(at >>> 1) + 9] = capability;
  }

  /** Writes the record of a packet of `length` bytes that will lie in the string. Returns where the next begins. */
  putInline(at: number, length: number, capability = 0): number {
    const stride = inlineStride(length);
    this.#put(at, length, 0, RECORD_BYTES, INLINE, stride, capability);
    return at + stride;
  }

  /** Writes the record of a packet in page number `page`. Returns where the next begins. */
  putPage(
    at: number,
    length: number,
    frame: number,
    start: number,
    page: number,
    capability = 0,
  ): number {
    this.#put(at, length, frame, start, page, RECORD_BYTES, capability);
    return at + RECORD_BYTES;
  }

  #put(
    at: number,
    length: number,
    frame: number,
    start: number,
    page: number,
    stride: number,
    capability: number,
  ): void {
    const word = at >>> 2;
    const half = at >>> 1;
    this.words[word] = length;
    this.words[word + 1] = frame;
    this.#u16[half + 4] = start;
    this.#u16[half + 5] = page;
    this.#u16[half + 6] = stride;
    this.#u16[half + 7] = 0;
    this.words[word + 4] = capability << 16;
    this.words[word + 5] = 0;
  }
}

/** Bytes that a packet of `length` bytes takes in a byte string, its record included. */
export function inlineStride(length: number): number {
  return (RECORD_BYTES + length + 7) & ~7;
}

/**
 * How many bytes the packet that starts at `start` of a message's page may have:
 * to the end of its own page, where that is one of several side by side.
 */
export function roomInPage(page: ArrayBuffer, start: number): number {
  return page.byteLength === EXTENT_BYTES
    ? EXTENT_BYTES - start
    : PAGE_BYTES - (start & (PAGE_BYTES - 1));
}
