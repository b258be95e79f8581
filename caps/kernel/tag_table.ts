/**
 * Tag → slot, for the packet path: open addressing over typed arrays, no
 * BigInt, no allocation. Tags are uniformly distributed, so the low bits are
 * the hash.
 */

import { SLOT_NONE } from "./slots.ts";
import type { Tag } from "./tag.ts";

/** The tags that are live, with the slot of each. */
export class TagTable {
  readonly #low: Uint32Array;
  readonly #high: Uint32Array;
  readonly #slot: Uint32Array;
  readonly #mask: number;
  readonly #entriesMax: number;
  #size = 0;

  /** Room for `entriesMax` tags; it is never more than half full. */
  constructor(entriesMax: number) {
    const places = 2 ** Math.ceil(Math.log2(Math.max(2, entriesMax) * 2));
    this.#low = new Uint32Array(places);
    this.#high = new Uint32Array(places);
    this.#slot = new Uint32Array(places);
    this.#mask = places - 1;
    this.#entriesMax = entriesMax;
  }

  /** How many tags are live. */
  get size(): number {
    return this.#size;
  }

  /** The slot of the live tag `high:low`; SLOT_NONE when there is none. */
  find(low: number, high: number): number {
    return this.#slot[this.#placeOf(low, high)]!;
  }

  /**
   * Makes `tag` live for `slot`.
   * @returns false when the table is full. A tag is entered once only.
   */
  insert(tag: Tag, slot: number): boolean {
    if (slot === SLOT_NONE) {
      throw new RangeError("tag table: slot 0 means nobody");
    }
    if (this.#size >= this.#entriesMax) return false;
    const place = this.#placeOf(tag.low, tag.high);
    if (this.#slot[place] !== SLOT_NONE) {
      throw new Error("tag table: a tag was issued twice");
    }
    this.#low[place] = tag.low;
    this.#high[place] = tag.high;
    this.#slot[place] = slot;
    this.#size++;
    return true;
  }

  /** Ends `tag`; false when it was not live. */
  remove(tag: Tag): boolean {
    let hole = this.#placeOf(tag.low, tag.high);
    if (this.#slot[hole] === SLOT_NONE) return false;
    // Entries behind the hole move up, so that no search stops at it (Knuth,
    // TAOCP vol. 3, 6.4, algorithm R).
    let place = hole;
    for (;;) {
      place = (place + 1) & this.#mask;
      if (this.#slot[place] === SLOT_NONE) break;
      const home = this.#low[place]! & this.#mask;
      const staysReachable = hole <= place
        ? hole < home && home <= place
        : hole < home || home <= place;
      if (staysReachable) continue;
      this.#low[hole] = this.#low[place]!;
      this.#high[hole] = this.#high[place]!;
      this.#slot[hole] = this.#slot[place]!;
      hole = place;
    }
    this.#slot[hole] = SLOT_NONE;
    this.#size--;
    return true;
  }

  #placeOf(low: number, high: number): number {
    let place = low & this.#mask;
    while (
      this.#slot[place] !== SLOT_NONE &&
      (this.#low[place] !== low || this.#high[place] !== high)
    ) {
      place = (place + 1) & this.#mask;
    }
    return place;
  }
}
