/** Frames that a core sends of its own accord: put together in one byte string, which goes out at the end of a turn. */

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
import type { Frame } from "./core.ts";
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
  /** The frame that is opened: one for all, so that none is made for a packet. */
  readonly #frame: Frame = {
    bytes: new Uint8Array(0),
    start: 0,
    length: 0,
    capacity: 0,
    offload: 0,
  };
  /** Whether {@link #frame} was opened and not sent yet. */
  #opened = false;
  /** The room in {@link #frame}: what the core writes there is its own word. */
  #capacity = 0;
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
    this.#opened = false;
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
    const frame = this.#frame;
    frame.bytes = writer.view!.bytes;
    frame.start = writer.at + RECORD_BYTES;
    frame.length = 0;
    frame.capacity = sizeBytes;
    frame.offload = 0;
    this.#capacity = sizeBytes;
    this.#opened = true;
    return frame;
  }

  /** Puts the frame that was opened last among those that are sent. */
  send(): void {
    if (!this.#opened || this.#writer.view === undefined) {
      throw new Error("runner: send() without a frame that open() gave");
    }
    // Whatever the core put there, these are numbers from here on, and read once.
    const length = this.#frame.length >>> 0;
    const offload = this.#frame.offload >>> 0;
    if (length > this.#capacity) {
      throw new Error("runner: the frame outgrew its room");
    }
    this.#opened = false;
    this.#writer.addInline(this.#place, length, offload);
  }

  /** Posts what was put together. */
  flush(): void {
    const writer = this.#writer;
    if (writer.view === undefined) return;
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
