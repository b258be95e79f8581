/** Frames that a core sends of its own accord: put together in one byte string, which goes out at the end of a turn. */

import { type Frame, OpenFrame } from "../../caps/port/frame.ts";
import { OwnStrings } from "../../caps/port/own_strings.ts";
import type { Port } from "../../caps/port/port.ts";
import { RecordWriter } from "../../caps/port/record_writer.ts";
import {
  type Delivery,
  INLINE_BYTES_MAX,
  inlineStride,
  postRecords,
  RECORD_BYTES,
  type Submission,
} from "../../caps/port/records.ts";
import type { Outgoing } from "./guarded_core.ts";
import { requirePlainBuffer } from "./plain.ts";

export interface OutgoingParts {
  readonly port: Port<Submission | null, Delivery | null>;
  /** The capability that they are sent under. */
  readonly capability: bigint;
}

/** Fills one byte string after another, as many as may be under way. */
export class OutgoingString implements Outgoing {
  readonly #parts: OutgoingParts;
  readonly #writer = new RecordWriter();
  readonly #strings = new OwnStrings();
  /** The capability's place in the string. */
  #place = 0;
  readonly #frame = new OpenFrame();
  /** Whether a frame was refused since {@link takeRoom} said that there is room. */
  #refused = false;

  /** With no frame in it; `refused` when one before it had no room. */
  constructor(parts: OutgoingParts, refused = false) {
    this.#parts = parts;
    this.#refused = refused;
  }

  /** A frame to write into; undefined when there is no room now. */
  open(sizeBytes: number): Frame | undefined {
    sizeBytes >>>= 0;
    this.#frame.close();
    if (sizeBytes > INLINE_BYTES_MAX) return undefined;
    const stride = inlineStride(sizeBytes);
    const writer = this.#writer;
    if (!writer.fits(stride)) {
      this.flush();
      const string = this.#strings.take();
      if (string === undefined) {
        this.#refused = true;
        return undefined;
      }
      writer.begin(string);
      this.#place = writer.name(this.#parts.capability);
    }
    const { bytes } = writer.view!;
    return this.#frame.open(bytes, writer.at + RECORD_BYTES, sizeBytes);
  }

  /** Puts the frame that was opened last among those that are sent. */
  send(): void {
    const frame = this.#frame;
    frame.send();
    this.#writer.addInline(this.#place, frame.length, frame.offload);
  }

  /** Posts what was put together. */
  flush(): void {
    const writer = this.#writer;
    if (writer.view === undefined) return;
    // What was opened in the string is not sent with another one.
    this.#frame.close();
    if (writer.count === 0) {
      this.#strings.keep(writer.drop());
      return;
    }
    const submission = writer.take();
    requirePlainBuffer(submission.records);
    postRecords(this.#parts.port, submission);
  }

  /** Whether a frame was refused, and nobody was told of room since. */
  get refused(): boolean {
    return this.#refused;
  }

  /** Whether there is room again after a refusal; says so once. */
  takeRoom(): boolean {
    if (!this.#refused || !this.#strings.some) return false;
    this.#refused = false;
    return true;
  }

  /** Keeps a string that has come back, to be filled again. */
  keep(string: ArrayBuffer): void {
    this.#strings.keep(string);
  }
}
