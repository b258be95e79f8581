/**
 * A walk over the records of a byte string, by steps, so that nothing is made
 * for a record:
 *
 *     const walk = new RecordWalk(records, count);
 *     while (walk.next()) … walk.view.length(walk.at) …
 */

import { RECORD_BYTES, RecordView, STRING_BYTES } from "./records.ts";
import { nextRecord } from "./submission.ts";

/** Goes from record to record; ends early where there is none, whoever wrote the string. */
export class RecordWalk {
  /** The string as numbers. */
  readonly view: RecordView;
  /** Where the record at hand begins. */
  at = 0;
  /** Where it ends: read before it is shown, since whoever sees it may write to it. */
  end = 0;
  readonly #count: number;
  #left: number;

  /** Stands before the first of `count` records of `string`. */
  constructor(string: ArrayBuffer, count: number) {
    this.view = new RecordView(string);
    this.#count = count;
    this.#left = count;
  }

  /** Goes on to the next record; false when there is none. */
  next(): boolean {
    const at = this.end;
    if (this.#left === 0 || at + RECORD_BYTES > STRING_BYTES) return false;
    const end = nextRecord(at, this.view.stride(at));
    if (end === 0) return false;
    this.#left--;
    this.at = at;
    this.end = end;
    return true;
  }

  /** Has every record, from the first on, only give its page back: nothing of it is to be sent. */
  emptyAll(): void {
    this.#left = this.#count;
    this.end = 0;
    while (this.next()) this.view.setLength(this.at, 0);
  }
}
