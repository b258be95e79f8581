/** A holder's end of its data channel, in a process of its own. */

import { EXTENT_BYTES, PAGE_BYTES } from "../../memory/memory.ts";
import type { Port } from "../port.ts";
import { RecordWalk } from "../record_walk.ts";
import {
  type Delivery,
  INLINE,
  STRING_BYTES,
  type Submission,
} from "../records.ts";
import { CHANNEL, KIND } from "./message.ts";
import type { StreamReader } from "./reader.ts";
import { putRecords, readRecords } from "./records_body.ts";
import type { StreamWriter } from "./writer.ts";

/** Pages that are kept for the next deliveries, at most. */
const SPARE_PAGES_MAX = 64;

/** A delivery of which pages are still to come. */
interface Arriving {
  readonly delivery: Delivery;
  readonly sizes: readonly number[];
}

/** A {@link Port} over a stream. */
export class HolderEnd implements Port<Submission | null, Delivery | null> {
  onReady: (() => void) | undefined;
  closed = false;
  readonly #writer: StreamWriter;
  /** Deliveries that were not answered, by their strings. */
  readonly #numbers = new Map<ArrayBuffer, number>();
  readonly #strings: ArrayBuffer[] = [];
  readonly #pages: ArrayBuffer[] = [];
  /** Strings of the holder's own that were sent, the oldest first. */
  readonly #sent: ArrayBuffer[] = [];
  readonly #queue: Delivery[] = [];
  #arriving: Arriving | undefined;

  constructor(writer: StreamWriter) {
    this.#writer = writer;
  }

  /** Answers a delivery, or sends a string of the holder's own. */
  post(submission: Submission | null): boolean {
    if (this.closed) return false;
    if (submission === null) return true;
    const { records, count, capabilities, pages } = submission;
    const delivery = this.#numbers.get(records);
    const { sizeBytes, changed } = replies(records, count);
    putRecords(
      this.#writer,
      {
        delivery: delivery ?? 0,
        count,
        capabilities: sizeBytes === 0 ? [] : capabilities,
        pages: changed,
      },
      records,
      sizeBytes,
    );
    for (const page of changed) {
      this.#writer.put(KIND.page, CHANNEL.data, new Uint8Array(pages[page]!));
    }
    if (delivery === undefined) this.#sent.push(records);
    else {
      this.#numbers.delete(records);
      this.#strings.push(records);
      for (const page of pages) {
        if (this.#pages.length < SPARE_PAGES_MAX) this.#pages.push(page);
      }
    }
    return true;
  }

  /** The next delivery. */
  take(): Delivery | undefined {
    return this.#queue.shift();
  }

  /** Takes the message at hand of `reader`: one of the three kinds that the driver sends here. */
  arrive(reader: StreamReader): void {
    if (reader.kind === KIND.string) this.#arriveString();
    else if (reader.kind === KIND.page) this.#arrivePage(reader);
    else this.#arriveRecords(reader);
  }

  #arriveRecords(reader: StreamReader): void {
    const body = readRecords(reader);
    if (body === undefined) return;
    const { delivery: number, count, capabilities, pages: sizes } = body;
    const records = this.#strings.pop() ?? new ArrayBuffer(STRING_BYTES);
    new Uint8Array(records).set(body.string);
    this.#numbers.set(records, number);
    const delivery = { capabilities, records, count, pages: [] };
    if (sizes.length === 0) this.#push(delivery);
    else this.#arriving = { delivery, sizes };
  }

  /** Where a page of `sizeBytes` that comes now is to be read to. */
  pageFor(sizeBytes: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#arriving === undefined
      ? undefined
      : new Uint8Array(this.#pageOf(sizeBytes));
  }

  #arrivePage({ bytes, start, end }: StreamReader): void {
    if (this.#arriving === undefined) return;
    const { delivery, sizes } = this.#arriving;
    const whole = bytes.buffer.byteLength === end - start;
    const page = whole ? bytes.buffer : this.#pageOf(end - start);
    if (!whole) new Uint8Array(page).set(bytes.subarray(start, end));
    delivery.pages.push(page);
    if (delivery.pages.length < sizes.length) return;
    this.#arriving = undefined;
    this.#push(delivery);
  }

  #arriveString(): void {
    const records = this.#sent.shift();
    if (records === undefined) return;
    this.#push({ capabilities: [], records, count: 0, pages: [] });
  }

  /** Most are of one size, that of a page or of an extent. */
  #pageOf(sizeBytes: number): ArrayBuffer {
    const spare = this.#pages.at(-1);
    if (
      spare?.byteLength === sizeBytes &&
      (sizeBytes === PAGE_BYTES || sizeBytes === EXTENT_BYTES)
    ) return this.#pages.pop()!;
    return new ArrayBuffer(sizeBytes);
  }

  #push(delivery: Delivery): void {
    this.#queue.push(delivery);
    this.onReady?.();
  }

  [Symbol.dispose](): void {
    this.closed = true;
  }
}

/** How many bytes of a string have to go back, and which pages with it: where nothing is to be sent, none. */
function replies(
  records: ArrayBuffer,
  count: number,
): { readonly sizeBytes: number; readonly changed: number[] } {
  const changed: number[] = [];
  let sizeBytes = 0;
  const walk = new RecordWalk(records, count);
  while (walk.next()) {
    const { view, at } = walk;
    if (view.length(at) === 0) continue;
    sizeBytes = -1;
    const page = view.page(at);
    if (page !== INLINE && changed.at(-1) !== page) changed.push(page);
  }
  return { sizeBytes: sizeBytes === 0 ? 0 : walk.end, changed };
}
