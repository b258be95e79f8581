/** The byte strings of its own that a holder sends frames in: made when they are needed, used again when they have come back. */

import { OWN_STRINGS_MAX, STRING_BYTES } from "./records.ts";

/** At most {@link OWN_STRINGS_MAX} byte strings, under way or spare. */
export class OwnStrings {
  readonly #spares: ArrayBuffer[] = [];
  #made = 0;

  /** A string to fill; undefined while all are under way. */
  take(): ArrayBuffer | undefined {
    const spare = this.#spares.pop();
    if (spare !== undefined || this.#made === OWN_STRINGS_MAX) return spare;
    this.#made++;
    return new ArrayBuffer(STRING_BYTES);
  }

  /** Keeps a string that has come back, to be filled again. */
  keep(string: ArrayBuffer): void {
    if (this.#spares.length < OWN_STRINGS_MAX) this.#spares.push(string);
  }

  /** Whether {@link take} would give a string now. */
  get some(): boolean {
    return this.#spares.length > 0 || this.#made < OWN_STRINGS_MAX;
  }
}
