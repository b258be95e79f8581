/**
 * Overlaps among many grants without comparing with each. Conjunctions that ask
 * the same bits of the same fields are of one shape, and lie in one table by
 * what they ask for. Two conjunctions that share a frame want the same of every
 * bit that both ask for; so of a table only those entries come into question
 * that agree with a conjunction in the bits that it and the shape have in
 * common: one look-up, by the table's own key where it asks for all of them, or
 * by a key made of fewer bits, a **projection**, which is made when it is first
 * wanted. What comes into question is then compared in full (overlap.ts).
 *
 * Exact flows of one shape are found, or not, in one look-up however many there
 * are; so is a new flow among wide grants, and a wide grant among flows.
 */

import type { SiblingIndex } from "../../caps/sibling_index.ts";
import type { Atom, Filter } from "./atom.ts";
import type { Conjunction, Grant } from "./grant.ts";
import { lowerConjunction } from "./lower.ts";
import { intersect } from "./overlap.ts";

/** Projections that one table keeps; the one that has gone unused longest makes room. */
const PROJECTIONS_MAX = 8;

/** What a conjunction asks of some bits of one place. */
interface Wanted {
  readonly mask: number;
  readonly value: number;
}

/** A conjunction with what it asks, by place. */
interface Entry {
  readonly conjunction: Conjunction;
  readonly wanted: ReadonlyMap<string, Wanted>;
}

/** The grants of one capability's children. */
export class GrantIndex implements SiblingIndex<Grant> {
  /** By shape. */
  readonly #tables = new Map<string, ShapeTable>();
  readonly #entries = new Map<Grant, Entry[][]>();

  overlaps(grant: Grant): boolean {
    return grant.flatMap(entriesOf).some((entry) => {
      for (const table of this.#tables.values()) {
        if (table.overlaps(entry)) return true;
      }
      return false;
    });
  }

  add(grant: Grant): void {
    const entries = grant.flatMap(entriesOf);
    const added = this.#entries.get(grant);
    if (added === undefined) this.#entries.set(grant, [entries]);
    else added.push(entries);
    for (const entry of entries) {
      const shape = shapeOf(entry);
      let table = this.#tables.get(shape);
      if (table === undefined) {
        table = new ShapeTable(entry);
        this.#tables.set(shape, table);
      }
      table.add(entry);
    }
  }

  remove(grant: Grant): void {
    const added = this.#entries.get(grant);
    for (const entry of added?.pop() ?? []) {
      const shape = shapeOf(entry);
      const table = this.#tables.get(shape)!;
      table.remove(entry);
      if (table.size === 0) this.#tables.delete(shape);
    }
    if (added?.length === 0) this.#entries.delete(grant);
  }
}

/** Entries that ask for the same bits of the same places. */
class ShapeTable {
  readonly #places: readonly string[];
  /** The bits of each place. */
  readonly #masks: readonly number[];
  readonly #entries = new Set<Entry>();
  /** Entries by the values of some bits, by which bits; the longest unused first. */
  readonly #projections = new Map<string, Projection>();

  constructor(example: Entry) {
    this.#places = [...example.wanted.keys()];
    this.#masks = [...example.wanted.values()].map(({ mask }) => mask);
  }

  get size(): number {
    return this.#entries.size;
  }

  overlaps(entry: Entry): boolean {
    const masks = this.#places.map((place, index) =>
      ((entry.wanted.get(place)?.mask ?? 0) & this.#masks[index]!) >>> 0
    );
    const inQuestion = this.#projectionOf(masks).get(this.#keyOf(entry, masks));
    for (const one of inQuestion ?? []) {
      const both = intersect(one.conjunction, entry.conjunction);
      if (both !== undefined) return true;
    }
    return false;
  }

  add(entry: Entry): void {
    this.#entries.add(entry);
    for (const projection of this.#projections.values()) {
      this.#put(projection, entry);
    }
  }

  remove(entry: Entry): void {
    this.#entries.delete(entry);
    for (const { masks, byKey } of this.#projections.values()) {
      const key = this.#keyOf(entry, masks);
      const alike = byKey.get(key)!;
      alike.delete(entry);
      if (alike.size === 0) byKey.delete(key);
    }
  }

  #projectionOf(masks: readonly number[]): Projection["byKey"] {
    const name = masks.join();
    let projection = this.#projections.get(name);
    if (projection === undefined) {
      projection = { masks, byKey: new Map() };
      for (const entry of this.#entries) this.#put(projection, entry);
      if (this.#projections.size === PROJECTIONS_MAX) {
        const [oldest] = this.#projections.keys();
        this.#projections.delete(oldest!);
      }
    } else this.#projections.delete(name);
    this.#projections.set(name, projection);
    return projection.byKey;
  }

  #put({ masks, byKey }: Projection, entry: Entry): void {
    const key = this.#keyOf(entry, masks);
    const alike = byKey.get(key);
    if (alike === undefined) byKey.set(key, new Set([entry]));
    else alike.add(entry);
  }

  #keyOf(entry: Entry, masks: readonly number[]): string {
    let key = "";
    for (let index = 0; index < masks.length; index++) {
      const value = entry.wanted.get(this.#places[index]!)?.value ?? 0;
      key += `${(value & masks[index]!) >>> 0} `;
    }
    return key;
  }
}

interface Projection {
  readonly masks: readonly number[];
  readonly byKey: Map<string, Set<Entry>>;
}

function entriesOf(conjunction: Conjunction): Entry[] {
  return lowerConjunction(conjunction).map((filter) => ({
    conjunction,
    wanted: wantedOf(filter),
  }));
}

/**
 * What a filter asks, by place. A place behind a header is another one for each
 * kind of header and each start: only then do two loads read the same bytes of
 * every frame that both match.
 */
function wantedOf(filter: Filter): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  let base = "frame";
  for (const atom of filter) {
    if (atom.op === "match") {
      const { from, offset, width, mask, value } = atom;
      const place = `${from === "base" ? base : "frame"} ${offset} ${width}`;
      const before = wanted.get(place) ?? { mask: 0, value: 0 };
      wanted.set(place, {
        mask: (before.mask | mask) >>> 0,
        value: (before.value | value) >>> 0,
      });
    } else if (atom.op !== "range") {
      base = `${base} ${atom.op} ${atom.offset}`;
      for (const [place, ask] of headerWants(atom)) {
        wanted.set(`${base} ${place}`, ask);
      }
    }
  }
  return wanted;
}

function headerWants(
  atom: Exclude<Atom, { op: "match" | "range" }>,
): [string, Wanted][] {
  const wants: [string, Wanted][] = [];
  if (atom.protocol !== undefined) {
    wants.push(["protocol", { mask: 0xff, value: atom.protocol }]);
  }
  if (atom.fragment !== "any") {
    const value = atom.fragment === "fragment" ? 1 : 0;
    wants.push(["fragment", { mask: 1, value }]);
  }
  return wants;
}

function shapeOf(entry: Entry): string {
  let shape = "";
  for (const [place, { mask }] of entry.wanted) shape += `${place} ${mask} `;
  return shape;
}
