/**
 * A byte string being filled, record after record, until it becomes a message:
 * the driver fills one for each holder that it has packets for, holders fill
 * those that they send.
 */

import { type Delivery, RecordView, STRING_BYTES } from "./records.ts";

const NO_STRING = new ArrayBuffer(0);

/** Fills one byte string at a time, and is used again for the next. */
export class RecordWriter {
  /** The string as numbers, for the packets' bytes; undefined while none is begun. */
  view: RecordView | undefined;
  /** Where the next record begins. */
  at = 0;
  /** Records in the string. */
  count = 0;
  /** The capabilities that the records name, in the order of their first record. */
  #capabilities: bigint[] = [];
  /** Kept beside its view: a core that is shown the bytes could have them name another buffer. */
  #string: ArrayBuffer = NO_STRING;

  /** Begins to fill `string`, which is {@link STRING_BYTES} long. */
  begin(string: ArrayBuffer): void {
    this.#string = string;
    this.view = new RecordView(string);
    this.at = 0;
    this.count = 0;
  }

  /** Whether a string is begun that has room for `sizeBytes` more. */
  fits(sizeBytes: number): boolean {
    return this.view !== undefined && this.at + sizeBytes <= STRING_BYTES;
  }

  /**
   * Names a capability that no record has named yet. A string has room for as
   * many as it has for records.
   * @returns its place, which records name it by.
   */
  name(capability: bigint): number {
    return this.#capabilities.push(capability) - 1;
  }

  /**
   * Adds the record of a packet whose `length` bytes lie in the string, behind
   * the record. The caller knows that it fits, has named the capability, and puts
   * the bytes there.
   * @returns where the record begins.
   */
  addInline(capability: number, length: number, offload: number = 0): number {
    const view = this.view!;
    const { at } = this;
    this.at = view.putInline(at, length, capability);
    if (offload !== 0) view.setOffload(at, offload);
    this.count++;
    return at;
  }

  /** Adds the record of a packet that lies in the message's page number `page`, `start` bytes from its beginning. */
  addPage(
    capability: number,
    length: number,
    frame: number,
    start: number,
    page: number,
    offload: number,
  ): void {
    const view = this.view!;
    const { at } = this;
    this.at = view.putPage(at, length, frame, start, page, capability);
    if (offload !== 0) view.setOffload(at, offload);
    this.count++;
  }

  /** Adds a copy of a whole record of another string, for a capability of this one. Returns where it begins. */
  addRecord(capability: number, record: Uint8Array): number {
    const { at } = this;
    const view = this.view!;
    view.bytes.set(record, at);
    view.setCapability(at, capability);
    this.at = at + record.length;
    this.count++;
    return at;
  }

  /** Ends the string, whose records name `pages`, as a message. */
  take(pages: ArrayBuffer[] = []): Delivery {
    const { count } = this;
    const capabilities = this.#capabilities;
    return { capabilities, records: this.drop(), count, pages };
  }

  /** Ends the string without a message, and returns it. */
  drop(): ArrayBuffer {
    const string = this.#string;
    this.#string = NO_STRING;
    this.#capabilities = [];
    this.view = undefined;
    this.at = 0;
    this.count = 0;
    return string;
  }
}
