/** A record's packet as a frame, and back: what cores and interposers are shown of a byte string. */

import {
  INLINE,
  type RecordView,
  roomInPage,
} from "../../caps/port/records.ts";
import type { Frame } from "./core.ts";

/** One frame object for all the records that are shown, one after the other. */
export class RecordFrame {
  readonly frame: Frame = {
    bytes: new Uint8Array(0),
    start: 0,
    length: 0,
    capacity: 0,
    offload: 0,
  };
  /** What the record's `start` counts from, in `frame.bytes`. */
  #base = 0;

  /** Shows the packet of the record at `at`, which lies in the string or in one of `pages`. */
  show(view: RecordView, at: number, pages: readonly ArrayBuffer[]): void {
    const { frame } = this;
    const page = view.page(at);
    const start = view.start(at);
    if (page === INLINE) {
      this.#base = at;
      frame.bytes = view.bytes;
      frame.capacity = view.stride(at) - start;
    } else {
      this.#base = 0;
      frame.bytes = new Uint8Array(pages[page]!);
      frame.capacity = roomInPage(pages[page]!, start);
    }
    frame.start = this.#base + start;
    frame.length = view.length(at);
    frame.offload = view.offload(at);
  }

  /** Writes the frame's place and its offload word, as they are now, to its record. */
  keep(view: RecordView, at: number): void {
    view.setLength(at, this.frame.length);
    view.setStart(at, this.frame.start - this.#base);
    view.setOffload(at, this.frame.offload);
  }
}
