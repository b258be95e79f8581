/**
 * The byte strings of a layer's own that go round with the driver's.
 *
 * A layer that takes a delivery apart gives the driver its string back at once
 * and hands out one of its own later. Strings are all alike: the driver keeps
 * those that it is short of, and sends back the rest. So for each of the
 * layer's that is out, one that comes back is the layer's, and the holder, who
 * is short of none, must not see it.
 */

import { STRING_BYTES } from "../../caps/port/records.ts";

/** Strings kept for the next time. */
const SPARES_MAX = 8;

/** Counts a layer's strings. */
export class StringPool {
  readonly #spares: ArrayBuffer[] = [];
  /** How many are out. */
  out = 0;

  /** One more to send round. */
  take(): ArrayBuffer {
    this.out++;
    return this.#spares.pop() ?? new ArrayBuffer(STRING_BYTES);
  }

  /** One that has come back; false when it is the holder's. */
  keep(string: ArrayBuffer): boolean {
    if (this.out === 0) return false;
    this.out--;
    if (this.#spares.length < SPARES_MAX) this.#spares.push(string);
    return true;
  }
}
