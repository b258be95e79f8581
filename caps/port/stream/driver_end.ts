/**
 * The driver's end of the data channel of a holder in a process: strings and pages
 * go out as bytes, and stay here until the holder has answered. So whatever it
 * does, and however it ends, they are the driver's.
 */

import type { Port } from "../port.ts";
import { RecordWalk } from "../record_walk.ts";
import { type Delivery, STRING_BYTES, type Submission } from "../records.ts";
import { CHANNEL, KIND } from "./message.ts";
import type { StreamReader } from "./reader.ts";
import { putRecords, readRecords, usedBytes } from "./records_body.ts";
import type { StreamWriter } from "./writer.ts";

/** What went out and was not answered yet. */
interface Lent {
  readonly records: ArrayBuffer;
  readonly count: number;
  readonly pages: ArrayBuffer[];
  /** Where the stream was behind the last page. */
  readonly endAt: number;
}

/** An answer of which pages are still to come. */
interface Arriving {
  readonly submission: Submission;
  /** The pages that come next, the last one first. */
  readonly expected: ArrayBuffer[];
}

/** How the end works. */
export interface DriverEndOptions {
  readonly writer: StreamWriter;
  /** How many bytes of the stream the holder has read: pages are lent until then. By default as many as were written. */
  readonly readByHolder?: () => number;
  /** Unread messages at which it is closed. */
  readonly unreadMax: number;
}

/** A {@link Port} over a stream. */
export class DriverEnd implements Port<Delivery | null, unknown> {
  onReady: (() => void) | undefined;
  closed = false;
  overrun = false;
  readonly #options: DriverEndOptions;
  readonly #lent = new Map<number, Lent>();
  /** Strings for those of the holder's own. */
  readonly #spares: ArrayBuffer[] = [];
  readonly #queue: (Submission | null)[] = [];
  #arriving: Arriving | undefined;
  #last = 0;

  constructor(options: DriverEndOptions) {
    this.#options = options;
  }

  /** Whether a delivery would find no room. */
  get full(): boolean {
    return this.#options.writer.full;
  }

  /** Sends a delivery, or says that a string of the holder's own is back. */
  post(delivery: Delivery | null): boolean {
    if (this.closed) return false;
    if (delivery === null) return true;
    const { writer } = this.#options;
    const { capabilities, records, count, pages } = delivery;
    if (count === 0) {
      this.#spares.push(records);
      writer.begin(KIND.string, CHANNEL.data, 0);
      return true;
    }
    this.#last = this.#last % 0xffffffff + 1;
    putRecords(
      writer,
      {
        delivery: this.#last,
        count,
        capabilities,
        pages: pages.map(({ byteLength }) => byteLength),
      },
      records,
      usedBytes(records, count),
    );
    for (const page of pages) {
      writer.putPage(KIND.page, CHANNEL.data, new Uint8Array(page));
    }
    this.#lent.set(this.#last, { records, count, pages, endAt: writer.end });
    return true;
  }

  /** The next submission; null for what is none. */
  take(): Submission | null | undefined {
    return this.#queue.shift();
  }

  /** Takes the message at hand of `reader`, of kind `records` or `page`. */
  arrive(reader: StreamReader): void {
    if (this.closed) return;
    if (reader.kind === KIND.records) this.#arriveRecords(reader);
    else this.#arrivePage(reader);
  }

  /** The holder has ended: all that it had comes back, and nothing of that is to be sent. */
  recall(): void {
    this.#giveUp();
    for (const { records, count, pages } of this.#lent.values()) {
      new RecordWalk(records, count).emptyAll();
      this.#queue.push({ capabilities: [], records, count, pages });
    }
    this.#lent.clear();
  }

  #arriveRecords(reader: StreamReader): void {
    const body = readRecords(reader);
    // A page that was announced did not come.
    if (this.#arriving !== undefined || body === undefined) {
      this.#giveUp();
      return this.#push(null);
    }
    const { delivery, capabilities, string } = body;
    if (delivery === 0) {
      const records = this.#spares.pop() ?? new ArrayBuffer(STRING_BYTES);
      new Uint8Array(records).set(string);
      // Without a string there are no records: what lies there is of an earlier one.
      const count = string.length > 0 ? body.count : 0;
      return this.#push({ capabilities, records, count, pages: [] });
    }
    const lent = this.#lent.get(delivery);
    if (lent === undefined || !this.#isRead(lent)) return this.#push(null);
    this.#lent.delete(delivery);
    const { records, pages } = lent;
    if (string.length > 0) new Uint8Array(records).set(string);
    else new RecordWalk(records, lent.count).emptyAll();
    const count = string.length > 0 ? body.count : lent.count;
    const submission = { capabilities, records, count, pages };
    const expected: (ArrayBuffer | undefined)[] = body.pages.map((number) =>
      pages[number]
    );
    if (expected.length === 0) return this.#push(submission);
    const lies = expected.includes(undefined);
    this.#arriving = {
      submission,
      expected: expected.reverse() as ArrayBuffer[],
    };
    if (!lies) return;
    this.#push(null);
    this.#giveUp();
  }

  /** A page that the holder could still read is not used for anybody else's packet. */
  #isRead({ pages, endAt }: Lent): boolean {
    const { writer, readByHolder } = this.#options;
    if (pages.length === 0) return true;
    return endAt <= (readByHolder?.() ?? writer.written);
  }

  /** Where a page of `sizeBytes` that comes now is to be read to: straight into what leaves. */
  pageFor(sizeBytes: number): Uint8Array<ArrayBuffer> | undefined {
    const page = this.#arriving?.expected.at(-1);
    return page?.byteLength === sizeBytes ? new Uint8Array(page) : undefined;
  }

  #arrivePage({ bytes, start, end }: StreamReader): void {
    const page = this.#arriving?.expected.at(-1);
    if (page === undefined || page.byteLength !== end - start) {
      this.#giveUp();
      return this.#push(null);
    }
    if (bytes.buffer !== page) {
      new Uint8Array(page).set(bytes.subarray(start, end));
    }
    const { submission, expected } = this.#arriving!;
    expected.pop();
    if (expected.length > 0) return;
    this.#arriving = undefined;
    this.#push(submission);
  }

  /** Takes an answer whose pages did not come: nothing of it is to be sent. */
  #giveUp(): void {
    if (this.#arriving === undefined) return;
    const { submission } = this.#arriving;
    this.#arriving = undefined;
    new RecordWalk(submission.records, submission.count).emptyAll();
    this.#push(submission);
  }

  #push(submission: Submission | null): void {
    if (this.#queue.length >= this.#options.unreadMax) {
      this.overrun = true;
      this.closed = true;
    } else this.#queue.push(submission);
    this.onReady?.();
  }

  [Symbol.dispose](): void {
    this.closed = true;
    this.#queue.length = 0;
  }
}
