/** Puts frames that were held into a byte string of the layer's own. */

import {
  type Delivery,
  RECORD_BYTES,
  RecordView,
  STRING_BYTES,
} from "../../caps/port/records.ts";
import type { HeldFrame } from "./held_frames.ts";
import type { StringPool } from "./string_pool.ts";

/** One message being put together: all of it under one capability. */
export class DeliveryBuilder {
  readonly #strings: StringPool;
  #view: RecordView | undefined;
  #capability = 0n;
  #at = 0;
  #count = 0;
  #pages: ArrayBuffer[] = [];

  /** Takes its byte string, when it needs one, from `strings`. */
  constructor(strings: StringPool) {
    this.#strings = strings;
  }

  /** Adds a frame; false when it belongs into the next message. */
  add(held: HeldFrame): boolean {
    const { record, page } = held;
    const view = this.#room(held);
    if (view === undefined) return false;
    const at = this.#at;
    view.bytes.set(record, at);
    if (page !== undefined) {
      view.putPage(
        at,
        view.length(at),
        view.frame(at),
        view.start(at),
        this.#pages.length,
      );
      // What the driver said of the packet stays said.
      view.bytes.set(record.subarray(14, RECORD_BYTES), at + 14);
      this.#pages.push(page);
    }
    this.#at += record.length;
    this.#count++;
    return true;
  }

  /** Adds only the frame's page, to go back; false when it belongs into the next message. */
  addReturn(held: HeldFrame): boolean {
    if (held.page === undefined) return true;
    if (!this.add(held)) return false;
    const view = this.#view!;
    view.setLength(this.#at - held.record.length, 0);
    return true;
  }

  /** The message; undefined when nothing was added. */
  take(): Delivery | undefined {
    const view = this.#view;
    if (view === undefined) return undefined;
    const message = {
      capability: this.#capability,
      records: view.bytes.buffer,
      count: this.#count,
      pages: this.#pages,
    };
    this.#view = undefined;
    this.#at = 0;
    this.#count = 0;
    this.#pages = [];
    return message;
  }

  #room({ capability, record }: HeldFrame): RecordView | undefined {
    if (this.#view === undefined) {
      this.#view = new RecordView(this.#strings.take());
      this.#capability = capability;
    }
    const fits = this.#capability === capability &&
      this.#at + record.length <= STRING_BYTES;
    return fits ? this.#view : undefined;
  }
}
