/** A holder as a message port sees it: takes what it is delivered, and posts whatever it is told to. */

import { PAGE_BYTES } from "../../caps/memory/memory.ts";
import { offloadWord } from "../../caps/port/offload.ts";
import { type Port, takeAll } from "../../caps/port/port.ts";
import {
  type Delivery,
  INLINE,
  RECORD_BYTES,
  RecordView,
  STRING_BYTES,
} from "../../caps/port/records.ts";
import type { AskedRecord } from "./system.ts";
import { nameOf, writeFrame } from "./universe.ts";

/** A page that somebody was lent. */
export interface LentPage {
  readonly frame: number;
  readonly buffer: ArrayBuffer;
}

/** What a holder is told of the others' pages. */
export interface Elsewhere {
  /** A frame of packet memory that is not lent to this one. */
  foreignFrame(how: number): number;
  /** The frame that the packet of this number came in, whoever has it. */
  frameOf(serial: number): number;
}

/** A packet as it came. */
export interface Got {
  readonly tag: bigint;
  /** As `nameOf` has it, with what is wrong with its page. */
  readonly name: string;
  readonly form: "copy" | "page";
  /** The record's offload word. */
  readonly offload: number;
}

/** Byte strings for whoever needs one. */
const strings: ArrayBuffer[] = [];

/** Bytes of a frame that is longer than every wire takes. */
const LONG_BYTES = 9100;

/** What a holder leaves in a page that it gives back. */
const LEFT_BEHIND = 0xee;

/** One end of a data port. */
export class Holder {
  readonly port: Port<unknown, Delivery>;
  /** By the number of the packet that came in it. */
  readonly pages: Map<number, LentPage> = new Map();
  readonly #pageBytes: number;

  /** `pageBytes` are those of a page as it is lent: an extent's, where the NIC lends those. */
  constructor(port: Port<unknown, Delivery>, pageBytes: number = PAGE_BYTES) {
    this.port = port;
    this.#pageBytes = pageBytes;
  }

  /** Takes what has come, and gives the byte strings back. */
  take(): Got[] {
    const got: Got[] = [];
    for (const delivery of takeAll(this.port)) {
      const { capabilities, records, count } = delivery;
      if (count === 0) {
        strings.push(records);
        continue;
      }
      this.#read(delivery, got);
      this.port.post({ capabilities, records, count: 0, pages: [] }, [records]);
    }
    return got;
  }

  #read({ capabilities, records, count, pages }: Delivery, got: Got[]): void {
    const view = new RecordView(records);
    let at = 0;
    for (let i = 0; i < count; i++) {
      const start = view.start(at);
      const length = view.length(at);
      const offload = view.offload(at);
      const tag = capabilities[view.capability(at)]!;
      if (view.page(at) === INLINE) {
        const from = at + start;
        const name = nameOf(view.bytes.subarray(from, from + length));
        got.push({ tag, name, form: "copy", offload });
      } else {
        const buffer = pages[view.page(at)]!;
        const bytes = new Uint8Array(buffer);
        const name = nameOf(bytes.subarray(start, start + length));
        const clean = isZero(bytes, 0, start) &&
          isZero(bytes, start + length, bytes.length);
        got.push({
          tag,
          name: clean ? name : `${name} dirty`,
          form: "page",
          offload,
        });
        const frame = view.frame(at);
        this.pages.set(Number(name.split("#")[1]), { frame, buffer });
      }
      at += view.stride(at);
    }
  }

  /** Posts one message with these records under `capability`. */
  submit(
    capability: bigint,
    asked: readonly AskedRecord[],
    elsewhere: Elsewhere,
  ): void {
    const view = new RecordView(strings.pop() ?? new ArrayBuffer(STRING_BYTES));
    const message = new Message(
      view,
      { own: this.pages, pageBytes: this.#pageBytes },
      elsewhere,
    );
    for (const record of asked) {
      message.put(record);
      if (record.kind === "unreadable") break;
    }
    const records = view.bytes.buffer;
    const { count, pages } = message;
    const moved = pages.filter((page) => page instanceof ArrayBuffer);
    const capabilities = [capability];
    this.port.post({ capabilities, records, count, pages }, [
      records,
      ...moved,
    ]);
  }
}

/** A message being put together. */
class Message {
  readonly pages: unknown[] = [];
  count = 0;
  readonly #view: RecordView;
  readonly #own: Map<number, LentPage>;
  readonly #pageBytes: number;
  readonly #elsewhere: Elsewhere;
  #at = 0;

  constructor(
    view: RecordView,
    { own, pageBytes }: {
      readonly own: Map<number, LentPage>;
      readonly pageBytes: number;
    },
    elsewhere: Elsewhere,
  ) {
    this.#view = view;
    this.#own = own;
    this.#pageBytes = pageBytes;
    this.#elsewhere = elsewhere;
  }

  put(record: AskedRecord): void {
    this.count++;
    const at = this.#at;
    this.#put(record);
    if (record.kind !== "send" || record.offload === undefined) return;
    const { checksum, gso, segmentBytes } = record.offload;
    this.#view.setOffload(at, offloadWord(checksum, gso, segmentBytes));
  }

  #put(record: AskedRecord): void {
    if (record.kind === "forge") this.#forge(record.how);
    else if (record.kind === "short") {
      this.#at = this.#view.putInline(this.#at, 13);
    } else if (record.kind === "long") {
      this.#at = this.#view.putInline(this.#at, LONG_BYTES);
    } else if (record.kind === "unreadable") this.#unreadable(record.how);
    else if (record.page !== undefined) {
      const page = this.#pageOf(record.page);
      const bytes = new Uint8Array(page.buffer).fill(LEFT_BEHIND);
      const frame = record.kind === "send"
        ? writeFrame(record.frame, record.serial)
        : new Uint8Array(0);
      bytes.set(frame);
      this.#putPage(frame.length, page.frame, page.buffer);
    } else if (record.kind === "send") {
      const bytes = writeFrame(record.frame, record.serial);
      this.#view.bytes.set(bytes, this.#at + RECORD_BYTES);
      this.#at = this.#view.putInline(this.#at, bytes.length);
    }
  }

  /** The page itself, once; to whom it is not lent, and for the second time, a buffer with its number. */
  #pageOf(serial: number): LentPage {
    const own = this.#own.get(serial);
    this.#own.delete(serial);
    return own ?? {
      frame: this.#elsewhere.frameOf(serial),
      buffer: new ArrayBuffer(this.#pageBytes),
    };
  }

  #putPage(length: number, frame: number, page: unknown): void {
    const index = this.pages.push(page) - 1;
    this.#at = this.#view.putPage(this.#at, length, frame, 0, index);
  }

  /** Shows a buffer that is none of its pages. */
  #forge(how: number): void {
    const [own] = this.#own.values();
    const frame = own?.frame ?? this.#elsewhere.foreignFrame(how);
    const wrong: (() => unknown)[] = [
      () => new ArrayBuffer(64),
      () => null,
      () => new Uint8Array(PAGE_BYTES),
      () => new ArrayBuffer(PAGE_BYTES, { maxByteLength: 2 * PAGE_BYTES }),
      () => ({ byteLength: PAGE_BYTES }),
    ];
    const which = how % (wrong.length + 2);
    if (which < wrong.length) this.#putPage(0, frame, wrong[which]!());
    else if (which === wrong.length) {
      this.#at = this.#view.putPage(this.#at, 60, frame, 0, 4095);
    } else {
      const foreign = this.#elsewhere.foreignFrame(how);
      this.#putPage(60, foreign, new ArrayBuffer(this.#pageBytes));
    }
  }

  /** A record whose length cannot be true. */
  #unreadable(how: number): void {
    const strides = [0, 8, 23, 65535, 65528];
    const at = this.#at;
    this.#view.putInline(at, 60);
    const words = new DataView(this.#view.bytes.buffer);
    // The first record may be as long as the string.
    const stride = strides[how % strides.length]!;
    words.setUint16(at + 12, at === 0 && stride === 65528 ? 12 : stride, true);
  }
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}
