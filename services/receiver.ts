/**
 * A capability in the hands of the program itself: its packets by `for await`,
 * and frames sent under it.
 */

import type { Port } from "../caps/port.ts";
import {
  type Delivery,
  INLINE,
  INLINE_BYTES_MAX,
  RECORD_BYTES,
  RecordView,
  STRING_BYTES,
  type Submission,
} from "../caps/records.ts";
import type { Capability } from "../caps/tag.ts";

/** One packet, as it was on the wire. */
export interface Packet {
  /** The whole frame. It is the reader's until the next packet is asked for; then its memory is used again. */
  readonly bytes: Uint8Array;
}

/** What a receiver needs of the system. */
export interface ReceiverParts {
  /** To the driver service. */
  readonly port: Port<Submission, Delivery>;
  readonly capability: Capability;
  /** Gives the capability up. */
  readonly close: () => Promise<void>;
}

/**
 * Holds one capability. Reading slower than packets come costs nobody else
 * anything: once its pages and byte strings are all unread, its packets are
 * dropped, and counted on its account.
 */
export class Receiver implements AsyncIterable<Packet>, AsyncDisposable {
  readonly #parts: ReceiverParts;
  #arrived = Promise.withResolvers<void>();
  #closed = false;

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
    parts.port.onReady = () => this.#wake();
  }

  /**
   * The packets, in order, until the receiver is closed. One reader at a time.
   * Leaving the loop keeps the capability; its unread packets wait.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Packet, void, void> {
    while (!this.#closed) {
      const delivery = this.#parts.port.take();
      if (delivery === undefined) {
        await this.#arrived.promise;
        this.#arrived = Promise.withResolvers();
        continue;
      }
      if (delivery.count === 0) continue; // a byte string that comes home after a send
      try {
        yield* packetsOf(delivery);
      } finally {
        this.#giveBack(delivery);
      }
    }
  }

  /**
   * Sends a frame under the capability. It goes out only if the capability's
   * sending grant matches it; what does not is dropped and counted.
   *
   * @returns false when the system takes nothing more.
   * @throws {RangeError} when the frame is longer than a byte string takes.
   */
  send(frame: Uint8Array): boolean {
    if (frame.length > INLINE_BYTES_MAX) {
      throw new RangeError(
        `send: the frame has ${frame.length} bytes; at most ${INLINE_BYTES_MAX} fit`,
      );
    }
    const view = new RecordView(new ArrayBuffer(STRING_BYTES));
    view.bytes.set(frame, RECORD_BYTES);
    view.putInline(0, frame.length);
    const records = view.bytes.buffer;
    return this.#post({
      tag: this.#parts.capability,
      records,
      count: 1,
      pages: [],
    });
  }

  /** Gives the capability up. A loop over the packets ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake();
    await this.#parts.close();
    this.#parts.port[Symbol.dispose]();
  }

  #wake(): void {
    this.#arrived.resolve();
  }

  /** Everything in the delivery is the driver's again; nothing of it is to be sent. */
  #giveBack(delivery: Delivery): void {
    const view = new RecordView(delivery.records);
    for (let i = 0, at = 0; i < delivery.count; i++) {
      view.setLength(at, 0);
      at += view.stride(at);
    }
    this.#post(delivery);
  }

  #post(submission: Submission): boolean {
    const { records, pages } = submission;
    return this.#parts.port.post(submission, [records, ...pages]);
  }
}

function* packetsOf(delivery: Delivery): Generator<Packet, void, void> {
  const view = new RecordView(delivery.records);
  for (let i = 0, at = 0; i < delivery.count; i++) {
    const page = view.page(at);
    const bytes = page === INLINE
      ? view.bytes.subarray(
        at + view.start(at),
        at + view.start(at) + view.length(at),
      )
      : new Uint8Array(delivery.pages[page]!, view.start(at), view.length(at));
    const next = at + view.stride(at);
    yield { bytes };
    at = next;
  }
}
