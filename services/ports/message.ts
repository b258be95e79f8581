/**
 * A message between two services: records, put together in one turn and posted as
 * one byte string.
 *
 * ```
 *   0               4
 *  +---------------+
 *  |     word      |   from who answers: a token of this message; from who asks:
 *  +---------------+   the token of the last message that it has read, or 0
 *
 *   0       1       2       4               8
 *  +-------+-------+-------+---------------+----------------------+
 *  | kind  |   0   | size  |    number     | body, `size` bytes   |   a record
 *  +-------+-------+-------+---------------+----------------------+
 * ```
 *
 * A request's number is repeated by its answer; a push's says how many pushes
 * before it were lost for want of room.
 */

import { getU16, getU32, setU16, setU32 } from "../wire/big_endian.ts";
import { BodyReader, BodyWriter } from "./body.ts";
import type { Field } from "./fields.ts";
import { BODY_BYTES_MAX } from "./interface.ts";

/** What a record is. */
export const RECORD = {
  /** Asks. */
  request: 1,
  /** Answers the request of its number. */
  answer: 2,
  /** Says that the request of its number gets no answer; without a body. */
  declined: 3,
  /** Tells unasked. */
  push: 4,
} as const;

const HEADER_BYTES = 4;
const RECORD_HEADER_BYTES = 8;

/** The most bytes of a message. */
export const MESSAGE_BYTES_MAX = 16_384;

/** Puts messages together. */
export class MessageWriter {
  /** Kept apart: what a core's own kind of field does to the view does not reach it. */
  readonly #buffer = new ArrayBuffer(MESSAGE_BYTES_MAX);
  readonly #bytes = new Uint8Array(this.#buffer);
  readonly #body = new BodyWriter(this.#bytes, 0);
  #at = HEADER_BYTES;

  /** Whether nothing is in the message. */
  get empty(): boolean {
    return this.#at === HEADER_BYTES;
  }

  /** Whether any record fits. */
  get hasRoom(): boolean {
    return MESSAGE_BYTES_MAX - this.#at >= RECORD_HEADER_BYTES + BODY_BYTES_MAX;
  }

  /**
   * Adds a record; the caller saw that there is room.
   * @throws {TypeError} when `value` is not of its kind; nothing is added then.
   */
  add<Value>(
    kind: number,
    number: number,
    field: Field<Value>,
    value: Value,
  ): void {
    const start = this.#at + RECORD_HEADER_BYTES;
    this.#body.at = start;
    field.write(this.#body, value);
    this.#close(kind, number, this.#body.at - start);
  }

  /** Adds a record without a body; the caller saw that there is room. */
  addEmpty(kind: number, number: number): void {
    this.#close(kind, number, 0);
  }

  #close(kind: number, number: number, sizeBytes: number): void {
    const at = this.#at;
    const bytes = this.#bytes;
    bytes[at] = kind;
    bytes[at + 1] = 0;
    setU16(bytes, at + 2, sizeBytes);
    setU32(bytes, at + 4, number);
    this.#at = at + RECORD_HEADER_BYTES + sizeBytes;
  }

  /** The message, under `word`; the next one begins. */
  take(word: number): ArrayBuffer {
    setU32(this.#bytes, 0, word);
    // Not slice(): that asks the buffer for a class to make the copy with.
    const message = new ArrayBuffer(this.#at);
    new Uint8Array(message).set(new Uint8Array(this.#buffer, 0, this.#at));
    this.#at = HEADER_BYTES;
    return message;
  }
}

/** Walks over the records of a message that anybody may have sent. */
export class MessageWalk {
  /** Of the record: what it is. */
  kind = 0;
  /** Of the record: its number. */
  number = 0;
  /** Of the record: its body. */
  readonly body: BodyReader = new BodyReader();
  /** Of the message: a token, or proof of one. */
  word = 0;
  #bytes = new Uint8Array(0);
  #at = 0;

  /** Begins with `message`. Returns whether it is one. */
  begin(message: unknown): boolean {
    if (
      !(message instanceof ArrayBuffer) ||
      message.byteLength < HEADER_BYTES ||
      message.byteLength > MESSAGE_BYTES_MAX
    ) return false;
    this.#bytes = new Uint8Array(message);
    this.word = getU32(this.#bytes, 0);
    this.#at = HEADER_BYTES;
    return true;
  }

  /** Moves on to the next record. Returns false behind the last one, and where there is no whole one. */
  next(): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    if (bytes.length - at < RECORD_HEADER_BYTES) return false;
    const start = at + RECORD_HEADER_BYTES;
    const end = start + getU16(bytes, at + 2);
    if (end > bytes.length) return false;
    this.kind = bytes[at]!;
    this.number = getU32(bytes, at + 4);
    this.body.begin(bytes, start, end);
    this.#at = end;
    return true;
  }

  /** Whether nothing is left. */
  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The record's value; worth nothing where the body is not {@link BodyReader.whole} then. */
  read<Value>(field: Field<Value>): Value {
    return field.read(this.body);
  }
}
