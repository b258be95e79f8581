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
 * An entry whose value is 0 is free. There is room to spare, so that a key can
 * come later: where its place is taken, its bucket gets another displacement,
 * and the few keys of that bucket move. What memory has to be told is written
 * down as words.
 */

import type { DataSegment } from "./encoder.ts";
import type { WordWrites } from "./word_writes.ts";

/** A key's words, each 4 or 8 bytes, the wide ones first. */
export type KeyShape = readonly (4 | 8)[];

/** A key's words as numbers, and a value. */
export interface TableEntry {
  /** As many as the shape has. */
  readonly key: readonly bigint[];
  /** From 1 to 0xffffffff. */
  readonly value: number;
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

/** Entries for each key when a table is made: the rest is room for later ones. */
const ENTRIES_PER_KEY = 1.6;
/** How full a table may become: beyond it, displacements are long to find. */
const FULL = 0.75;
const ENTRIES_MIN = 64;
const ENTRIES_PER_BUCKET_BITS = 1;
const DISPLACEMENTS = 65536;
const SEEDS_MAX = 32;

/** A key that is in the table. */
interface Item {
  readonly words: readonly bigint[];
  value: number;
  /** The low half of its hash. */
  readonly low: number;
  readonly bucket: number;
  place: number;
}

/** Bytes that a table takes. */
export interface TableSize {
  /** Of all displacements. */
  readonly displacementsBytes: number;
  /** Of all entries. */
  readonly entriesBytes: number;
}

/** The size of a table that is made of `count` keys. */
export function tableSize(shape: KeyShape, count: number): TableSize {
  const bits = entryBitsFor(count);
  return {
    displacementsBytes: 2 * 2 ** (bits - ENTRIES_PER_BUCKET_BITS),
    entriesBytes: layOut(shape).stride * 2 ** bits,
  };
}

function entryBitsFor(count: number): number {
  return Math.ceil(Math.log2(Math.max(ENTRIES_MIN, count * ENTRIES_PER_KEY)));
}

/** A table as code has to know it, and as it can be changed. */
export class FlowTable implements Layout {
  readonly stride: number;
  readonly wordOffsets: readonly number[];
  readonly valueOffset: number;
  /** Where the displacements lie in memory, 2 bytes each; a multiple of 4. */
  readonly displacements: number;
  /** Where the entries lie in memory; a multiple of 8. */
  readonly address: number;
  /** Odd multipliers, one for each word, and one for the sum of the products. */
  readonly multipliers: readonly bigint[];
  /** Bits to shift the 64-bit hash right by, for the bucket. */
  readonly bucketShift: number;
  /** Bits to shift the 32-bit product right by, for the entry. */
  readonly entryShift: number;

  readonly #shape: KeyShape;
  readonly #displacement: Uint16Array;
  readonly #items = new Map<string, Item>();
  readonly #buckets: Item[][];
  readonly #places: (Item | undefined)[];

  /** A table of `entries` at these places, of the sizes that {@link tableSize} says. No key may come twice. */
  constructor(
    shape: KeyShape,
    entries: readonly TableEntry[],
    at: { readonly displacements: number; readonly address: number },
  ) {
    const bits = entryBitsFor(entries.length);
    const { stride, wordOffsets, valueOffset } = layOut(shape);
    this.#shape = shape;
    this.stride = stride;
    this.wordOffsets = wordOffsets;
    this.valueOffset = valueOffset;
    this.displacements = at.displacements;
    this.address = at.address;
    this.bucketShift = 64 - bits + ENTRIES_PER_BUCKET_BITS;
    this.entryShift = 32 - bits;
    const bucketCount = 2 ** (bits - ENTRIES_PER_BUCKET_BITS);
    this.#displacement = new Uint16Array(bucketCount);
    this.#places = new Array(2 ** bits);
    for (let seed = 0; seed < SEEDS_MAX; seed++) {
      const multipliers = multipliersOf(shape.length + 1, seed);
      this.#buckets = Array.from({ length: bucketCount }, () => []);
      this.#places.fill(undefined);
      if (!this.#build(entries, multipliers)) continue;
      this.multipliers = multipliers;
      return;
    }
    throw new Error(`filter: no perfect hash for ${entries.length} keys`);
  }

  /** What memory is to hold. */
  segments(): DataSegment[] {
    const displacements = new Uint8Array(this.#displacement.length * 2);
    const view = new DataView(displacements.buffer);
    this.#displacement.forEach((one, at) => view.setUint16(2 * at, one, true));
    const bytes = new Uint8Array(this.#places.length * this.stride);
    const words = new DataView(bytes.buffer);
    for (const item of this.#items.values()) {
      this.#eachWord(item, (offset, word) => {
        words.setUint32(offset - this.address, word, true);
      });
    }
    return [
      { address: this.displacements, bytes: displacements },
      { address: this.address, bytes },
    ];
  }

  /**
   * Gives a key a value, where it has one in place of that. What is to be
   * written goes to `writes`.
   * @returns false, with nothing changed, when there is no room.
   */
  set(entry: TableEntry, writes: WordWrites): boolean {
    const name = entry.key.join();
    const known = this.#items.get(name);
    if (known !== undefined) {
      known.value = entry.value;
      this.#write(known, writes);
      return true;
    }
    if (this.#items.size + 1 > this.#places.length * FULL) return false;
    const item = this.#itemOf(entry, this.multipliers);
    const bucket = this.#buckets[item.bucket]!;
    const place = this.#placeOf(item, this.#displacement[item.bucket]!);
    if (this.#places[place] === undefined) {
      this.#places[place] = item;
      item.place = place;
      bucket.push(item);
    } else if (!this.#move(bucket, item, writes)) return false;
    this.#items.set(name, item);
    this.#write(item, writes);
    return true;
  }

  /** Takes a key out. @returns whether it was there. */
  delete(key: readonly bigint[], writes: WordWrites): boolean {
    const name = key.join();
    const item = this.#items.get(name);
    if (item === undefined) return false;
    this.#items.delete(name);
    this.#places[item.place] = undefined;
    const bucket = this.#buckets[item.bucket]!;
    bucket.splice(bucket.indexOf(item), 1);
    this.#free(item.place, writes);
    return true;
  }

  /** Gives a bucket another displacement, under which `added` has room, too. */
  #move(bucket: Item[], added: Item, writes: WordWrites): boolean {
    const before = bucket.map((item) => item.place);
    for (const place of before) this.#places[place] = undefined;
    bucket.push(added);
    const displacement = this.#displace(bucket);
    if (displacement === undefined) {
      bucket.pop();
      bucket.forEach((item, index) => {
        item.place = before[index]!;
        this.#places[item.place] = item;
      });
      return false;
    }
    this.#displacement[added.bucket] = displacement;
    const pair = added.bucket & ~1;
    const [low, high] = this.#displacement.subarray(pair, pair + 2);
    writes.put(this.displacements + 2 * pair, (high! << 16 | low!) >>> 0);
    for (const place of before) {
      if (this.#places[place] === undefined) this.#free(place, writes);
    }
    for (const item of bucket) this.#write(item, writes);
    return true;
  }

  /** Places all keys, the fullest buckets first. */
  #build(
    entries: readonly TableEntry[],
    multipliers: readonly bigint[],
  ): boolean {
    this.#items.clear();
    for (const entry of entries) {
      const item = this.#itemOf(entry, multipliers);
      this.#items.set(entry.key.join(), item);
      this.#buckets[item.bucket]!.push(item);
    }
    const order = [...this.#buckets.keys()].sort((a, b) =>
      this.#buckets[b]!.length - this.#buckets[a]!.length || a - b
    );
    for (const bucket of order) {
      const displacement = this.#displace(this.#buckets[bucket]!);
      if (displacement === undefined) return false;
      this.#displacement[bucket] = displacement;
    }
    return true;
  }

  /** The first displacement under which a bucket's keys all go to free entries: takes those. */
  #displace(bucket: readonly Item[]): number | undefined {
    const places = this.#places;
    for (let tried = 0; tried < DISPLACEMENTS; tried++) {
      let placed = 0;
      for (; placed < bucket.length; placed++) {
        const item = bucket[placed]!;
        const place = this.#placeOf(item, tried);
        if (places[place] !== undefined) break;
        places[place] = item;
        item.place = place;
      }
      if (placed === bucket.length) return tried;
      while (placed > 0) places[bucket[--placed]!.place] = undefined;
    }
    return undefined;
  }

  #placeOf(item: Item, displacement: number): number {
    return Math.imul(item.low ^ displacement, ENTRY_MULTIPLIER) >>>
      this.entryShift;
  }

  #itemOf(entry: TableEntry, multipliers: readonly bigint[]): Item {
    const whole = hash(entry.key, multipliers);
    return {
      words: entry.key,
      value: entry.value,
      low: Number(whole & 0xffffffffn),
      bucket: Number(whole >> BigInt(this.bucketShift)),
      place: 0,
    };
  }

  #free(place: number, writes: WordWrites): void {
    writes.put(this.address + place * this.stride + this.valueOffset, 0);
  }

  #write(item: Item, writes: WordWrites): void {
    this.#eachWord(item, (address, word) => writes.put(address, word));
  }

  #eachWord(item: Item, write: (address: number, word: number) => void): void {
    const at = this.address + item.place * this.stride;
    for (const [which, word] of item.words.entries()) {
      const offset = at + this.wordOffsets[which]!;
      write(offset, Number(word & 0xffffffffn));
      if (this.#shape[which] === 8) write(offset + 4, Number(word >> 32n));
    }
    write(at + this.valueOffset, item.value);
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
function multipliersOf(count: number, seed: number): bigint[] {
  return Array.from({ length: count }, (_, index) => {
    const gamma = 0x9e3779b97f4a7c15n;
    let z = BigInt.asUintN(64, gamma * BigInt(seed * 64 + index + 1));
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return (z ^ (z >> 31n)) | 1n;
  });
}
