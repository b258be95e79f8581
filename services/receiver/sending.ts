/** Frames that a receiver sends: put together in byte strings of its own, as many as it may have. */

import type { Port } from "../../caps/port/port.ts";
import {
  type Delivery,
  inlineStride,
  OWN_STRINGS_MAX,
  RECORD_BYTES,
  RecordView,
  STRING_BYTES,
  type Submission,
} from "../../caps/port/records.ts";
import { DOORBELL } from "../../caps/port/trusted_ring.ts";
import type { Capability } from "../../caps/kernel/capability.ts";

/** What frames are sent with. */
export interface SendingParts {
  /** To the driver service. */
  readonly port: Port<Submission | null, Delivery | null>;
  /** What they are sent under. */
  readonly capability: Capability;
}

/** Sends, and takes what arrives: the strings that come home are among that. */
export class Sending {
  readonly #parts: SendingParts;
  readonly #spares: ArrayBuffer[] = [];
  /** Strings that were made: no more than it may have. */
  #made = 0;
  /** Deliveries met on the way to strings: as many as the driver has strings for, at most. */
  readonly #unread: Delivery[] = [];
  /** The string that is being filled. */
  #view: RecordView | undefined;
  #at = 0;
  #count = 0;

  constructor(parts: SendingParts) {
    this.#parts = parts;
  }

  /** Puts a frame, which fits into a string, behind those of this turn; false when it was not taken. */
  add(frame: Uint8Array): boolean {
    if (this.#parts.port.closed) return false;
    const sizeBytes = inlineStride(frame.length);
    if (this.#at + sizeBytes > STRING_BYTES) this.flush();
    const view = this.#view ?? this.#begin();
    if (view === undefined) return false;
    view.bytes.set(frame, this.#at + RECORD_BYTES);
    this.#at = view.putInline(this.#at, frame.length);
    this.#count++;
    return true;
  }

  /** Sends what was put together. */
  flush(): void {
    const view = this.#view;
    if (view === undefined) return;
    const records = view.bytes.buffer;
    const { port, capability } = this.#parts;
    port.post({ capability, records, count: this.#count, pages: [] }, [
      records,
    ]);
    this.#view = undefined;
    this.#at = 0;
    this.#count = 0;
  }

  /** The next delivery that has arrived. */
  take(): Delivery | undefined {
    return this.#unread.shift() ?? this.#takeNext();
  }

  #begin(): RecordView | undefined {
    const string = this.#spares.pop() ?? this.#make() ?? this.#comeHome();
    if (string === undefined) return undefined;
    this.#view = new RecordView(string);
    queueMicrotask(() => this.flush());
    return this.#view;
  }

  #make(): ArrayBuffer | undefined {
    if (this.#made === OWN_STRINGS_MAX) return undefined;
    this.#made++;
    return new ArrayBuffer(STRING_BYTES);
  }

  /** A string that has come home, behind deliveries that nobody has read yet. */
  #comeHome(): ArrayBuffer | undefined {
    while (this.#spares.length === 0) {
      const delivery = this.#takeNext();
      if (delivery === undefined) break;
      this.#unread.push(delivery);
    }
    return this.#spares.pop();
  }

  #takeNext(): Delivery | undefined {
    for (;;) {
      const delivery = this.#parts.port.take();
      if (delivery === DOORBELL) continue;
      // Without records it is a byte string that comes home after a send.
      if (delivery === undefined || delivery.count > 0) return delivery;
      this.#spares.push(delivery.records);
    }
  }
}
