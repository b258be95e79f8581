/** A record's packet, as interposers see it. */

import { isBufferOf } from "../../caps/memory/buffers.ts";
import { EXTENT_BYTES, PAGE_BYTES } from "../../caps/memory/memory.ts";
import { CHECKSUM_COMPLETE } from "../../caps/port/offload.ts";
import {
  INLINE,
  RECORD_BYTES,
  type RecordView,
} from "../../caps/port/records.ts";
import type { Frame } from "../core/core.ts";

/** The shortest frame that a driver sends: an Ethernet header. */
const FRAME_BYTES_MIN = 14;

const NO_BYTES = new Uint8Array(0);

/** One frame object for all the records that are looked at. */
export class RecordFrame {
  readonly frame: Frame = {
    bytes: NO_BYTES,
    start: 0,
    length: 0,
    capacity: 0,
    mayBePartial: false,
  };
  /** Where its room begins and ends in `frame.bytes`. */
  #low = 0;
  #high = 0;
  /** What the record's `start` counts from. */
  #base = 0;

  /**
   * Shows the packet of the record at `at`.
   * @returns false when it has none that could be sent: that is the driver's to
   * refuse.
   */
  show(view: RecordView, at: number, pages: readonly unknown[]): boolean {
    const page = view.page(at);
    const start = view.start(at);
    const length = view.length(at);
    const frame = this.frame;
    if (page === INLINE) {
      this.#base = at;
      this.#low = at + RECORD_BYTES;
      this.#high = at + view.stride(at);
      frame.bytes = view.bytes;
    } else {
      const buffer = pages[page];
      if (
        !isBufferOf(buffer, PAGE_BYTES) && !isBufferOf(buffer, EXTENT_BYTES)
      ) {
        return false;
      }
      this.#base = 0;
      this.#low = 0;
      this.#high = buffer.byteLength;
      frame.bytes = new Uint8Array(buffer);
    }
    frame.start = this.#base + start;
    frame.length = length;
    frame.capacity = this.#high - frame.start;
    frame.mayBePartial = view.checksum(at) !== CHECKSUM_COMPLETE;
    return this.#fits;
  }

  /** Writes the frame's place back to the record; false when it outgrew its room. */
  keep(view: RecordView, at: number): boolean {
    if (!this.#fits) return false;
    const { start, length } = this.frame;
    view.setStart(at, start - this.#base);
    view.setLength(at, length);
    return true;
  }

  get #fits(): boolean {
    const { start, length } = this.frame;
    return Number.isInteger(start) && Number.isInteger(length) &&
      length >= FRAME_BYTES_MIN && start >= this.#low &&
      start + length <= this.#high;
  }
}
