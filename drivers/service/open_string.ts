/** The byte string that is being filled for one holder: packets of all its capabilities go into it. */

import { RecordWriter } from "../../caps/port/record_writer.ts";
import { FrameRuns } from "./frame_runs.ts";

/** A capability, as a byte string names it. */
export interface Named {
  readonly capability: bigint;
  readonly spec: { readonly slot: number };
  /** The number of the byte string that names it last. */
  namedIn: number;
  /** The place of the capability there. */
  place: number;
}

/** One at a time, and used again for the next. */
export class OpenString {
  readonly writer: RecordWriter = new RecordWriter();
  /** The pages that go with the string: runs of frames side by side, one buffer each. */
  readonly runs: FrameRuns = new FrameRuns();
  /** The slots of the capabilities that the string names, by place. */
  readonly slots: number[] = [];
  /** Numbers the holder's strings, so that nothing has to be reset in what one named. */
  #number = 0;

  /** Whether one is begun. */
  get begun(): boolean {
    return this.writer.view !== undefined;
  }

  /** Begins to fill `string`. */
  begin(string: ArrayBuffer): void {
    this.#number++;
    this.writer.begin(string);
  }

  /** The place of `account` among those that the string names. */
  placeOf(account: Named): number {
    if (account.namedIn !== this.#number) {
      account.namedIn = this.#number;
      account.place = this.writer.name(account.capability);
      this.slots.push(account.spec.slot);
    }
    return account.place;
  }

  /** Forgets the string and the pages that go with it: they were posted, or taken back. */
  end(): void {
    this.writer.drop();
    this.runs.clear();
    this.slots.length = 0;
  }
}
