/**
 * Hash tables in linear memory: open addressing with linear probing, and a
 * multiplicative hash (Knuth, The Art of Computer Programming, volume 3, 6.4).
 *
 * ```
 * entry: │ key words: i64 … i64 i32 … i32 │ value u32 │ padding to 8 bytes │
 * ```
 *
 * A value of 0 marks a free entry. A probe never wraps around: behind the
 * entries that hashes lead to there are some more, the last of which is free.
 */

import { TABLES_BYTES, TABLES_OFFSET } from "../../../caps/memory.ts";
import { FilterLimitError } from "../tree.ts";
import type { DataSegment } from "./encoder.ts";

/** A key's words, each 4 or 8 bytes, the wide ones first. */
export type KeyShape = readonly (4 | 8)[];

/** A key's words as numbers, and a value from 1 on. */
export interface TableEntry {
  readonly key: readonly bigint[];
  readonly value: number;
}

/** A table as code has to know it. */
export interface Table {
  /** Where it starts in memory. */
  readonly address: number;
  /** Bytes from one entry to the next. */
  readonly stride: number;
  /** Where in an entry each word of the key lies. */
  readonly wordOffsets: readonly number[];
  /** Where in an entry the value lies. */
  readonly valueOffset: number;
  /** Odd multipliers, one for each word, and one for the sum of the products. */
  readonly multipliers: readonly bigint[];
  /** Bits to shift the hash right by, for the number of the entry to try first. */
  readonly shift: number;
}

/** The least entries for each key: at most so full, probes are short. */
const ENTRIES_PER_KEY = 2;
const SEEDS = 4;
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
   * Builds a table. No key may come twice.
   *
   * @throws {FilterLimitError} when all tables together are too large.
   */
  add(shape: KeyShape, entries: readonly TableEntry[]): Table {
    const layout = layOut(shape);
    const bits = Math.max(
      2,
      Math.ceil(Math.log2(entries.length * ENTRIES_PER_KEY)),
    );
    this.#reserve(2 ** bits * layout.stride);
    let best: Placement | undefined;
    for (let seed = 0; seed < SEEDS; seed++) {
      const tried = tryPlace(
        entries,
        multipliers(shape.length + 1, seed),
        bits,
      );
      if (best === undefined || tried.probes < best.probes) best = tried;
    }
    const { places, multipliers: chosen, end } = best!;
    const bytes = new Uint8Array((end + 1) * layout.stride);
    const address = TABLES_OFFSET + this.#used;
    this.#reserve(bytes.length);
    this.#used += Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT;
    const view = new DataView(bytes.buffer);
    entries.forEach((entry, index) => {
      const at = places[index]! * layout.stride;
      entry.key.forEach((word, which) => {
        const offset = at + layout.wordOffsets[which]!;
        if (shape[which] === 8) view.setBigUint64(offset, word, true);
        else view.setUint32(offset, Number(word), true);
      });
      view.setUint32(at + layout.valueOffset, entry.value, true);
    });
    this.#segments.push({ address, bytes });
    return { address, ...layout, multipliers: chosen, shift: 64 - bits };
  }

  #reserve(sizeBytes: number): void {
    if (this.#used + sizeBytes > TABLES_BYTES) {
      throw new FilterLimitError(
        `filter: the classifier's tables need more than the ${TABLES_BYTES} bytes there are; install fewer flows`,
      );
    }
  }
}

function layOut(shape: KeyShape): {
  stride: number;
  wordOffsets: number[];
  valueOffset: number;
} {
  const wordOffsets: number[] = [];
  let at = 0;
  for (const width of shape) {
    wordOffsets.push(at);
    at += width;
  }
  return { stride: Math.ceil((at + 4) / 8) * 8, wordOffsets, valueOffset: at };
}

interface Placement {
  readonly multipliers: readonly bigint[];
  /** Where each entry went. */
  readonly places: Uint32Array;
  /** An entry behind all of them, and behind all that hashes lead to. */
  readonly end: number;
  /** How many steps all keys together take beyond their first. */
  readonly probes: number;
}

function tryPlace(
  entries: readonly TableEntry[],
  multipliers: readonly bigint[],
  bits: number,
): Placement {
  const taken = new Uint8Array(2 ** bits + entries.length + 1);
  const places = new Uint32Array(entries.length);
  let end = 2 ** bits;
  let probes = 0;
  for (const [index, entry] of entries.entries()) {
    const first = Number(hash(entry.key, multipliers) >> BigInt(64 - bits));
    let at = first;
    while (taken[at] === 1) at++;
    taken[at] = 1;
    places[index] = at;
    probes += at - first;
    end = Math.max(end, at + 1);
  }
  return { multipliers, places, end, probes };
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
