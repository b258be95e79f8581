/**
 * Perfect hash tables in linear memory, by hash and displace (Belazzougui,
 * Botelho and Dietzfelbinger, ESA 2009): a key's hash names a bucket, the
 * bucket's displacement is mixed into the rest of the hash, and that names the
 * one entry where the key can be. A look-up is two loads and one comparison,
 * however many keys there are and whichever key is asked for.
 *
 * ```
 * h = Σ word[i] · m[i];  h ^= h >> 32;  h *= m[n]            64 bits
 * entry = ((low32(h) ^ displacement[h >> bucketShift]) · m32) >> entryShift
 *
 * displacements: │ u16 … │          entries: │ entry │ entry │ …
 * entry:         │ key words: i64 … i64 i32 … i32 │ value u32 │ padding to 8 bytes │
 * ```
 *
 * A free entry holds a key that belongs elsewhere, so that no look-up for it
 * ever comes there: no entry needs a mark.
 */

import { TABLES_BYTES, TABLES_OFFSET } from "../../../caps/memory.ts";
import { FilterLimitError } from "../tree.ts";
import type { DataSegment } from "./encoder.ts";

/** A key's words, each 4 or 8 bytes, the wide ones first. */
export type KeyShape = readonly (4 | 8)[];

/** A key's words as numbers, and a value. */
export interface TableEntry {
  readonly key: readonly bigint[];
  readonly value: number;
}

/** A table as code has to know it. */
export interface Table extends Layout {
  /** Where the displacements lie in memory, 2 bytes each. */
  readonly displacements: number;
  /** Where the entries lie in memory. */
  readonly address: number;
  /** Odd multipliers, one for each word, and one for the sum of the products. */
  readonly multipliers: readonly bigint[];
  /** Bits to shift the 64-bit hash right by, for the bucket. */
  readonly bucketShift: number;
  /** Bits to shift the 32-bit product right by, for the entry. */
  readonly entryShift: number;
}

/** How an entry is laid out. */
export interface Layout {
  /** Bytes from one entry to the next. */
  readonly stride: number;
  /** Where in an entry each word of the key lies. */
  readonly wordOffsets: readonly number[];
  /** Where in an entry the value lies. */
  readonly valueOffset: number;
}

/** What the displaced hash is multiplied by: Fibonacci hashing (Knuth, volume 3, 6.4). */
export const ENTRY_MULTIPLIER = 0x9e3779b1;

/** The least entries for each key: at most so full, displacements are soon found. */
const ENTRIES_PER_KEY = 1.25;
const ENTRIES_PER_BUCKET_BITS = 2;
const DISPLACEMENTS = 65536;
const SEEDS_MAX = 32;
const ALIGNMENT = 64;

/** Places tables one behind the other in the classifier's part of memory. */
export class TableSpace {
  readonly #segments: DataSegment[] = [];
  #used = 0;

  /** What memory is to hold when the module is instantiated. */
  get segments(): readonly DataSegment[] {
    return this.#segments;
  }

  /**
   * Builds a table of one key or more. No key may come twice.
   *
   * @throws {FilterLimitError} when all tables together are too large.
   */
  add(shape: KeyShape, entries: readonly TableEntry[]): Table {
    const layout = layOut(shape);
    const least = Math.max(8, entries.length * ENTRIES_PER_KEY);
    const entryBits = Math.ceil(Math.log2(least));
    const bucketBits = entryBits - ENTRIES_PER_BUCKET_BITS;
    const displacements = this.#reserve(2 * 2 ** bucketBits);
    const address = this.#reserve(layout.stride * 2 ** entryBits);
    const shifts = {
      bucketShift: 64 - bucketBits,
      entryShift: 32 - entryBits,
    };
    for (let seed = 0; seed < SEEDS_MAX; seed++) {
      const chosen = multipliers(shape.length + 1, seed);
      const placed = place(entries, chosen, entryBits);
      if (placed === undefined) continue;
      const bytes = new Uint8Array(layout.stride * 2 ** entryBits);
      writeEntries(bytes, { shape, layout, entries, places: placed.places });
      this.#segments.push(
        { address: displacements, bytes: littleEndian16(placed.displacements) },
        { address, bytes },
      );
      return {
        displacements,
        address,
        ...layout,
        multipliers: chosen,
        ...shifts,
      };
    }
    throw new Error(`filter: no perfect hash for ${entries.length} keys`);
  }

  /** Takes `sizeBytes` of memory. Returns where they are. */
  #reserve(sizeBytes: number): number {
    const at = this.#used;
    this.#used += Math.ceil(sizeBytes / ALIGNMENT) * ALIGNMENT;
    if (this.#used > TABLES_BYTES) {
      throw new FilterLimitError(
        `filter: the classifier's tables need more than the ${TABLES_BYTES} bytes there are; install fewer flows`,
      );
    }
    return TABLES_OFFSET + at;
  }
}

function layOut(shape: KeyShape): Layout {
  const wordOffsets: number[] = [];
  let at = 0;
  for (const width of shape) {
    wordOffsets.push(at);
    at += width;
  }
  return { stride: Math.ceil((at + 4) / 8) * 8, wordOffsets, valueOffset: at };
}

interface Placement {
  readonly displacements: Uint16Array;
  /** Where each entry went. */
  readonly places: Uint32Array;
}

/** Finds each bucket's displacement, the fullest first; undefined when one has none. */
function place(
  entries: readonly TableEntry[],
  multipliers: readonly bigint[],
  entryBits: number,
): Placement | undefined {
  const bucketBits = entryBits - ENTRIES_PER_BUCKET_BITS;
  const low = new Uint32Array(entries.length);
  const buckets = Array.from({ length: 2 ** bucketBits }, (): number[] => []);
  for (const [index, entry] of entries.entries()) {
    const whole = hash(entry.key, multipliers);
    low[index] = Number(whole & 0xffffffffn);
    buckets[Number(whole >> BigInt(64 - bucketBits))]!.push(index);
  }
  const displacements = new Uint16Array(buckets.length);
  const places = new Uint32Array(entries.length);
  const taken = new Uint8Array(2 ** entryBits);
  const order = [...buckets.keys()]
    .sort((a, b) => buckets[b]!.length - buckets[a]!.length || a - b);
  for (const bucket of order) {
    const keys = buckets[bucket]!;
    const fits = displace(keys, low, { taken, places, entryBits });
    if (fits === undefined) return undefined;
    displacements[bucket] = fits;
  }
  return { displacements, places };
}

/** The first displacement under which a bucket's keys all go to free entries: takes those. */
function displace(
  keys: readonly number[],
  low: Uint32Array,
  table: { taken: Uint8Array; places: Uint32Array; entryBits: number },
): number | undefined {
  const { taken, places, entryBits } = table;
  for (let displacement = 0; displacement < DISPLACEMENTS; displacement++) {
    let placed = 0;
    for (; placed < keys.length; placed++) {
      const key = keys[placed]!;
      const at = Math.imul(low[key]! ^ displacement, ENTRY_MULTIPLIER) >>>
        (32 - entryBits);
      if (taken[at] === 1) break;
      taken[at] = 1;
      places[key] = at;
    }
    if (placed === keys.length) return displacement;
    for (let undo = 0; undo < placed; undo++) taken[places[keys[undo]!]!] = 0;
  }
  return undefined;
}

function writeEntries(
  bytes: Uint8Array,
  table: {
    readonly shape: KeyShape;
    readonly layout: Layout;
    readonly entries: readonly TableEntry[];
    readonly places: Uint32Array;
  },
): void {
  const { shape, layout, entries, places } = table;
  const view = new DataView(bytes.buffer);
  const write = (at: number, entry: TableEntry) => {
    entry.key.forEach((word, which) => {
      const offset = at + layout.wordOffsets[which]!;
      if (shape[which] === 8) view.setBigUint64(offset, word, true);
      else view.setUint32(offset, Number(word), true);
    });
    view.setUint32(at + layout.valueOffset, entry.value, true);
  };
  // Entry 0's key belongs in one place; a copy of it anywhere else is no
  // look-up's business. The same bytes everywhere are copied fast.
  write(0, entries[0]!);
  for (let at = layout.stride; at < bytes.length; at *= 2) {
    bytes.copyWithin(at, 0, at);
  }
  entries.forEach((entry, index) => {
    write(places[index]! * layout.stride, entry);
  });
}

/** The 64-bit hash of a key: what the code computes, too. */
function hash(key: readonly bigint[], multipliers: readonly bigint[]): bigint {
  let sum = 0n;
  for (const [index, word] of key.entries()) {
    sum += word * multipliers[index]!;
  }
  sum = BigInt.asUintN(64, sum);
  sum ^= sum >> 32n;
  return BigInt.asUintN(64, sum * multipliers[key.length]!);
}

/** Odd 64-bit numbers from SplitMix64 (Steele, Lea and Flood, OOPSLA 2014). */
function multipliers(count: number, seed: number): bigint[] {
  return Array.from({ length: count }, (_, index) => {
    const gamma = 0x9e3779b97f4a7c15n;
    let z = BigInt.asUintN(64, gamma * BigInt(seed * 64 + index + 1));
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return (z ^ (z >> 31n)) | 1n;
  });
}

function littleEndian16(numbers: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 2);
  const view = new DataView(bytes.buffer);
  numbers.forEach((number, index) => view.setUint16(index * 2, number, true));
  return bytes;
}
