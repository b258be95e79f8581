/** A record's packet, as interposers see it: only where it could be sent, and only as long as it stays in its room. */

import { isPageOrExtent } from "../../caps/memory/buffers.ts";
import {
  INLINE,
  RECORD_BYTES,
  type RecordView,
} from "../../caps/port/records.ts";
import type { Frame } from "../core/core.ts";
import { RecordFrame } from "../core/record_frame.ts";

/** The shortest frame that a driver sends: an Ethernet header. */
const FRAME_BYTES_MIN = 14;

/** One frame object for all the records that are looked at. */
export class CheckedFrame {
  readonly #record = new RecordFrame();
  /** Where its room begins and ends in `frame.bytes`. */
  #low = 0;
  #high = 0;

  /** The packet of the record that was shown last. */
  get frame(): Frame {
    return this.#record.frame;
  }

  /**
   * Shows the packet of the record at `at`.
   * @returns false when it has none that could be sent: that is the driver's to
   * refuse.
   */
  show(view: RecordView, at: number, pages: readonly unknown[]): boolean {
    const page = view.page(at);
    if (page === INLINE) {
      this.#low = at + RECORD_BYTES;
      this.#high = at + view.stride(at);
    } else {
      const buffer = pages[page];
      if (!isPageOrExtent(buffer)) return false;
      this.#low = 0;
      this.#high = buffer.byteLength;
    }
    // Every page that the record names was looked at above.
    this.#record.show(view, at, pages as readonly ArrayBuffer[]);
    return this.#fits;
  }

  /** Writes the frame's place back to the record; false when it outgrew its room. */
  keep(view: RecordView, at: number): boolean {
    if (!this.#fits) return false;
    this.#record.keep(view, at);
    return true;
  }

  get #fits(): boolean {
    const { start, length } = this.frame;
    return Number.isInteger(start) && Number.isInteger(length) &&
      length >= FRAME_BYTES_MIN && start >= this.#low &&
      start + length <= this.#high;
  }
}
