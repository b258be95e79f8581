/** The way out of a layer: from the holder to the driver. */

import type { Port } from "../../caps/port/port.ts";
import {
  type Delivery,
  INLINE_BYTES_MAX,
  inlineStride,
  postRecords,
  RECORD_BYTES,
  RecordView,
  type Submission,
} from "../../caps/port/records.ts";
import { RecordWalk } from "../../caps/port/record_walk.ts";
import { isSubmission } from "../../caps/port/submission.ts";
import type { Frame } from "../core/core.ts";
import type { Instant } from "../runtime/clock.ts";
import { DeliveryBuilder } from "./delivery_builder.ts";
import { HeldFrames } from "./held_frames.ts";
import type { Interposer } from "./interposer.ts";
import type { StringPool } from "./string_pool.ts";
import { CheckedFrame } from "./checked_frame.ts";

/**
 * Asks after what the holder sends. A message goes on as it is, to be checked by
 * the driver: where a frame is dropped or held its record's length becomes 0,
 * which gives its page back and sends nothing. A held frame is a copy, and goes
 * out by itself later.
 */
export class Sender {
  readonly #real: Port<Submission, Delivery>;
  readonly #interposer: Interposer;
  readonly #strings: StringPool;
  readonly #held = new HeldFrames();
  readonly #shown = new CheckedFrame();
  /** Whether frames are held no more. */
  closed = false;

  constructor(
    real: Port<Submission, Delivery>,
    interposer: Interposer,
    strings: StringPool,
  ) {
    this.#real = real;
    this.#interposer = interposer;
    this.#strings = strings;
  }

  /** When the next held frame is due. */
  get due(): Instant {
    return this.#held.due;
  }

  /** From now on everything goes out at once, or never. */
  close(): void {
    this.closed = true;
  }

  /** Asks after each frame of a message; false when that is no submission. */
  inspect(message: unknown, now: Instant): boolean {
    if (!isSubmission(message)) return false;
    const { capabilities, records, count, pages } = message;
    const walk = new RecordWalk(records, count);
    const { view } = walk;
    while (walk.next()) {
      const { at } = walk;
      const capability = capabilities[view.capability(at)];
      // Nothing is sent under what is no tag: that is the driver's to refuse.
      if (typeof capability !== "bigint") continue;
      if (view.length(at) > 0) this.#judge(view, at, capability, pages, now);
    }
    return true;
  }

  /** Sends what is due. */
  flush(now: Instant): void {
    const held = this.#held;
    while (held.due <= now && !held.empty) {
      const builder = new DeliveryBuilder(this.#strings);
      while (held.due <= now && !held.empty && builder.add(held.first!)) {
        held.shift();
      }
      const submission = builder.take()!;
      if (!postRecords(this.#real, submission)) {
        this.#interposer.tally.add("port-closed", submission.count);
      }
    }
  }

  #judge(
    view: RecordView,
    at: number,
    capability: bigint,
    pages: readonly unknown[],
    now: Instant,
  ): void {
    const shown = this.#shown;
    if (!shown.show(view, at, pages)) return;
    const verdict = this.#interposer.submit(shown.frame, now);
    if (verdict === "drop" || verdict === Infinity) {
      return view.setLength(at, 0);
    }
    if (!shown.keep(view, at)) {
      this.#interposer.tally.add("outgrown");
      return view.setLength(at, 0);
    }
    if (verdict === "pass" || verdict <= now || this.closed) return;
    this.#hold(verdict, capability, shown.frame, view.offload(at));
    view.setLength(at, 0);
  }

  #hold(due: Instant, capability: bigint, frame: Frame, offload: number): void {
    const { bytes, start, length } = frame;
    // A super-packet may be longer than a byte string.
    if (length > INLINE_BYTES_MAX) {
      return this.#interposer.tally.add("too-large");
    }
    const copy = new RecordView(new ArrayBuffer(inlineStride(length)));
    copy.putInline(0, length, 0);
    copy.setOffload(0, offload);
    copy.bytes.set(bytes.subarray(start, start + length), RECORD_BYTES);
    const record = copy.bytes;
    if (this.#held.add({ due, capability, record, page: undefined })) return;
    this.#interposer.tally.add("no-room");
  }
}
