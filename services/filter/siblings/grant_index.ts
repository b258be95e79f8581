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

import type { SiblingIndex } from "../../../caps/kernel/sibling_index.ts";
import type { Conjunction, Grant } from "../grant/grant.ts";
import { intersect } from "../grant/overlap.ts";
import { type AskedBits, askedBitsOf } from "./asked_bits.ts";

/** Projections that one table keeps; the one that has gone unused longest makes room. */
const PROJECTIONS_MAX = 8;

/** One way to match a conjunction. */
interface Entry {
  readonly conjunction: Conjunction;
  readonly wants: AskedBits;
}

/** The grants of one capability's children. */
export class GrantIndex implements SiblingIndex<Grant> {
  /** By shape. */
  readonly #tables = new Map<string, ShapeTable>();
  readonly #entries = new Map<Grant, Entry[][]>();
  #lowered: { readonly grant: Grant; readonly entries: Entry[] } | undefined;

  overlaps(grant: Grant): boolean {
    for (const entry of this.#lower(grant)) {
      for (const table of this.#tables.values()) {
        if (table.overlaps(entry)) return true;
      }
    }
    return false;
  }

  add(grant: Grant): void {
    const entries = this.#lower(grant);
    const added = this.#entries.get(grant);
    if (added === undefined) this.#entries.set(grant, [entries]);
    else added.push(entries.map((entry) => ({ ...entry })));
    for (const entry of added?.at(-1) ?? entries) {
      const { shape } = entry.wants;
      let table = this.#tables.get(shape);
      if (table === undefined) {
        table = new ShapeTable(entry.wants);
        this.#tables.set(shape, table);
      }
      table.add(entry);
    }
  }

  remove(grant: Grant): void {
    const added = this.#entries.get(grant);
    for (const entry of added?.pop() ?? []) {
      const { shape } = entry.wants;
      const table = this.#tables.get(shape)!;
      table.remove(entry);
      if (table.size === 0) this.#tables.delete(shape);
    }
    if (added?.length === 0) this.#entries.delete(grant);
  }

  /** What is added was asked about just before. */
  #lower(grant: Grant): Entry[] {
    if (this.#lowered?.grant !== grant) {
      this.#lowered = { grant, entries: grant.flatMap(entriesOf) };
    }
    return this.#lowered.entries;
  }
}

/** Entries that ask for the same bits of the same places. */
class ShapeTable {
  /** What all of them ask for. */
  readonly #wants: AskedBits;
  readonly #entries = new Set<Entry>();
  /** Entries by the values of some bits, by which bits; the longest unused first. */
  readonly #projections = new Map<string, Projection>();
  #lastUsed: Projection | undefined;

  constructor(example: AskedBits) {
    this.#wants = example;
  }

  get size(): number {
    return this.#entries.size;
  }

  overlaps({ conjunction, wants }: Entry): boolean {
    const { byKey, masks } = this.#projectionOf(wants);
    const inQuestion = byKey.get(keyOf(this.#valuesOf(wants), masks));
    if (inQuestion === undefined) return false;
    for (const one of inQuestion) {
      if (intersect(one.conjunction, conjunction) !== undefined) return true;
    }
    return false;
  }

  add(entry: Entry): void {
    this.#entries.add(entry);
    for (const projection of this.#projections.values()) {
      put(projection, entry);
    }
  }

  remove(entry: Entry): void {
    this.#entries.delete(entry);
    for (const { masks, byKey } of this.#projections.values()) {
      const key = keyOf(entry.wants.values, masks);
      const alike = byKey.get(key)!;
      alike.delete(entry);
      if (alike.size === 0) byKey.delete(key);
    }
  }
  /** The entries by what they ask of those bits that `wants` asks for, too. */
  #projectionOf(wants: AskedBits): Projection {
    // A new flow among its like is what is asked most.
    const masks = wants.shape === this.#wants.shape
      ? this.#wants.masks
      : this.#shared(wants);
    const last = this.#lastUsed;
    if (last !== undefined && isSame(last.masks, masks)) return last;
    const name = masks.join();
    let projection = this.#projections.get(name);
    if (projection === undefined) {
      projection = { masks, byKey: new Map() };
      for (const entry of this.#entries) put(projection, entry);
      if (this.#projections.size === PROJECTIONS_MAX) {
        const [oldest] = this.#projections.keys();
        this.#projections.delete(oldest!);
      }
    } else this.#projections.delete(name);
    this.#projections.set(name, projection);
    this.#lastUsed = projection;
    return projection;
  }

  /** The bits that both `wants` and the table ask for, by the table's places. */
  #shared(wants: AskedBits): number[] {
    return this.#wants.places.map((place, index) => {
      const at = wants.places.indexOf(place);
      return at < 0 ? 0 : (wants.masks[at]! & this.#wants.masks[index]!) >>> 0;
    });
  }

  /** What `wants` asks for, by the table's places. */
  #valuesOf(wants: AskedBits): readonly number[] {
    if (wants.shape === this.#wants.shape) return wants.values;
    return this.#wants.places.map((place) => {
      const at = wants.places.indexOf(place);
      return at < 0 ? 0 : wants.values[at]!;
    });
  }
}

interface Projection {
  readonly masks: readonly number[];
  readonly byKey: Map<string, Set<Entry>>;
}

function put({ masks, byKey }: Projection, entry: Entry): void {
  const key = keyOf(entry.wants.values, masks);
  const alike = byKey.get(key);
  if (alike === undefined) byKey.set(key, new Set([entry]));
  else alike.add(entry);
}

function keyOf(values: readonly number[], masks: readonly number[]): string {
  let key = "";
  for (let index = 0; index < masks.length; index++) {
    const masked = (values[index]! & masks[index]!) >>> 0;
    // Two characters: any string will do for a key, and this one is soon made.
    key += String.fromCharCode(masked >>> 16, masked & 0xffff);
  }
  return key;
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a === b ||
    (a.length === b.length && a.every((one, index) => one === b[index]));
}

function entriesOf(conjunction: Conjunction): Entry[] {
  return askedBitsOf(conjunction).map((wants) => ({ conjunction, wants }));
}
