/** What a conjunction asks for, bit by bit, so that two can be compared by numbers. */

import type { Atom, Filter } from "../tree/atom.ts";
import type { Conjunction } from "../grant/grant.ts";
import { lowerConjunction } from "../tree/lower.ts";

/** What one filter asks: of the bits `masks[i]` at `places[i]` that they be `values[i]`. */
export interface AskedBits {
  /**
   * Places of a frame, as numbers. A place behind a header is another
   * one for each kind of header and each start: only then do two loads read the
   * same bytes of every frame that both match.
   */
  readonly places: readonly number[];
  readonly masks: readonly number[];
  readonly values: readonly number[];
  /** Equal for all that ask for the same bits of the same places in the same order. */
  readonly shape: string;
}

/** The frame itself, as what a place is counted from. */
const FRAME = 0;
/** Places counted from one start: bytes in the first 2^13, and widths below 8. */
const PLACES = 65536;
/** No byte is there. */
const PROTOCOL = PLACES - 1;
const FRAGMENT = PLACES - 2;

/** What each filter of a conjunction asks. */
export function askedBitsOf(conjunction: Conjunction): AskedBits[] {
  return lowerConjunction(conjunction).map(wantsOfFilter);
}

function wantsOfFilter(filter: Filter): AskedBits {
  const wanted = new WantsBuilder();
  let base = FRAME;
  for (const atom of filter) {
    if (atom.op === "match") {
      const { from, offset, width, mask, value } = atom;
      const start = from === "base" ? base : FRAME;
      wanted.ask(start * PLACES + offset * 8 + width, mask, value);
    } else if (atom.op !== "range") {
      base = baseOf(base, atom);
      const { protocol, fragment } = atom;
      if (protocol !== undefined) {
        wanted.ask(base * PLACES + PROTOCOL, 0xff, protocol);
      }
      if (fragment !== "any") {
        const value = fragment === "fragment" ? 1 : 0;
        wanted.ask(base * PLACES + FRAGMENT, 1, value);
      }
    }
  }
  return wanted.take();
}

/** A header's end, as what places behind it are counted from: another number for each kind and start. */
function baseOf(
  before: number,
  { op, offset }: Extract<Atom, { op: "ipv4" | "ipv6" }>,
): number {
  return before * 1024 + offset * 2 + (op === "ipv4" ? 1 : 2);
}

/** Few places: to look through them beats any map. */
class WantsBuilder {
  readonly #places: number[] = [];
  readonly #masks: number[] = [];
  readonly #values: number[] = [];

  ask(place: number, mask: number, value: number): void {
    let at = this.#places.indexOf(place);
    if (at < 0) {
      at = this.#places.push(place) - 1;
      this.#masks.push(0);
      this.#values.push(0);
    }
    this.#masks[at] = (this.#masks[at]! | mask) >>> 0;
    this.#values[at] = (this.#values[at]! | value) >>> 0;
  }

  take(): AskedBits {
    const [places, masks, values] = [this.#places, this.#masks, this.#values];
    let shape = "";
    for (let at = 0; at < places.length; at++) {
      shape += `${places[at]} ${masks[at]} `;
    }
    return { places, masks, values, shape };
  }
}
