/** The frames that a core sends of its own accord: put together in one byte string, which goes out at the end of a turn. */

import type { Port } from "../../caps/port/port.ts";
import { RecordWriter } from "../../caps/port/record_writer.ts";
import {
  type Delivery,
  inlineStride,
  OWN_STRINGS_MAX,
  postRecords,
  RECORD_BYTES,
  STRING_BYTES,
  type Submission,
} from "../../caps/port/records.ts";
import type { Frame } from "./core.ts";
import { requirePlainBuffer } from "./plain.ts";

export interface OutgoingParts {
  readonly port: Port<Submission | null, Delivery | null>;
  /** The capability that they are sent under. */
  readonly capability: bigint;
}

/** Fills one byte string after another, as many as may be under way. */
export class OutgoingString {
  readonly #parts: OutgoingParts;
  readonly #writer = new RecordWriter();
  readonly #spares: ArrayBuffer[] = [];
  /** The capability's place in the string. */
  #place = 0;
  /** The frame that was opened last and not sent yet. */
  #frame: Frame | undefined;
  /** The room in {@link #frame}, which the core may write in. */
  #capacity = 0;

  constructor(parts: OutgoingParts) {
    this.#parts = parts;
    for (let i = 0; i < OWN_STRINGS_MAX; i++) {
      this.#spares.push(new ArrayBuffer(STRING_BYTES));
    }
  }

  /** A frame to write into; undefined when there is no room now. */
  open(sizeBytes: number): Frame | undefined {
    sizeBytes >>>= 0;
    const stride = inlineStride(sizeBytes);
    if (stride > STRING_BYTES) return undefined;
    const writer = this.#writer;
    if (!writer.fits(stride)) {
      this.flush();
      const string = this.#spares.pop();
      if (string === undefined) return undefined;
      writer.begin(string);
      this.#place = writer.name(this.#parts.capability);
    }
    this.#frame = {
      bytes: writer.view!.bytes,
      start: writer.at + RECORD_BYTES,
      length: 0,
      capacity: sizeBytes,
      mayBePartial: false,
    };
    this.#capacity = sizeBytes;
    return this.#frame;
  }

  /** Puts the frame that was opened last among those that are sent. */
  send(): void {
    const frame = this.#frame;
    if (frame === undefined || this.#writer.view === undefined) {
      throw new Error("runner: send() without a frame that open() gave");
    }
    // Whatever the core put there, it is a number from here on, and read once.
    const length = frame.length >>> 0;
    if (length > this.#capacity) {
      throw new Error("runner: the frame outgrew its room");
    }
    this.#frame = undefined;
    this.#writer.addInline(this.#place, length);
  }

  /** Posts what was put together. */
  flush(): void {
    const writer = this.#writer;
    if (writer.view === undefined) return;
    if (writer.count === 0) {
      this.#spares.push(writer.drop());
      return;
    }
    const submission = writer.take();
    requirePlainBuffer(submission.records);
    postRecords(this.#parts.port, submission);
  }

  /** Keeps a string that has come back, to be filled again. */
  keep(string: ArrayBuffer): void {
    if (this.#spares.length < OWN_STRINGS_MAX) this.#spares.push(string);
  }
}
