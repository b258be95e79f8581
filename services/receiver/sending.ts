/** Frames that a receiver sends: put together in byte strings of its own, as many as it may have. */

import { OwnStrings } from "../../caps/port/own_strings.ts";
import type { Port } from "../../caps/port/port.ts";
import { RecordWriter } from "../../caps/port/record_writer.ts";
import {
  type Delivery,
  inlineStride,
  postRecords,
  RECORD_BYTES,
  type Submission,
} from "../../caps/port/records.ts";
import { DOORBELL } from "../../caps/port/trusted_ring.ts";
import type { Capability } from "../../caps/kernel/capability.ts";

export interface SendingParts {
  /** To the driver service. */
  readonly port: Port<Submission | null, Delivery | null>;
  /** The capability that frames are sent under. */
  readonly capability: Capability;
}

/** Sends, and takes what arrives: the strings that come back are among that. */
export class Sending {
  readonly #parts: SendingParts;
  readonly #strings = new OwnStrings();
  /** Deliveries met on the way to strings: as many as the driver has strings for, at most. */
  readonly #unread: Delivery[] = [];
  readonly #writer = new RecordWriter();
  /** The capability's place in the string that is being filled. */
  #place = 0;

  constructor(parts: SendingParts) {
    this.#parts = parts;
  }

  /** Puts a frame, which fits into a string, behind those of this turn; false when it was not taken. */
  add(frame: Uint8Array): boolean {
    if (this.#parts.port.closed) return false;
    const writer = this.#writer;
    if (!writer.fits(inlineStride(frame.length))) {
      this.flush();
      if (!this.#begin()) return false;
    }
    const at = writer.addInline(this.#place, frame.length);
    writer.view!.bytes.set(frame, at + RECORD_BYTES);
    return true;
  }

  /** Sends what was put together. */
  flush(): void {
    if (this.#writer.view === undefined) return;
    postRecords(this.#parts.port, this.#writer.take());
  }

  /** The next delivery that has arrived. */
  take(): Delivery | undefined {
    return this.#unread.shift() ?? this.#takeNext();
  }

  #begin(): boolean {
    const string = this.#strings.take() ?? this.#returned();
    if (string === undefined) return false;
    this.#writer.begin(string);
    this.#place = this.#writer.name(this.#parts.capability);
    queueMicrotask(() => this.flush());
    return true;
  }

  /** A string that has come back, behind deliveries that nobody has read yet. */
  #returned(): ArrayBuffer | undefined {
    while (!this.#strings.some) {
      const delivery = this.#takeNext();
      if (delivery === undefined) break;
      this.#unread.push(delivery);
    }
    return this.#strings.take();
  }

  #takeNext(): Delivery | undefined {
    for (;;) {
      const delivery = this.#parts.port.take();
      if (delivery === DOORBELL) continue;
      // Without records it is a byte string that comes back after a send.
      if (delivery === undefined || delivery.count > 0) return delivery;
      this.#strings.keep(delivery.records);
    }
  }
}
