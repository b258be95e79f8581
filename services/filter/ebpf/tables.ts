/**
 * Flow tables: exact matches as hash maps in the kernel. All tables whose keys
 * have as many fields share one map, so that a program has few of them however
 * many tables its tree has. A key is a row of 32-bit little-endian words:
 *
 * ```
 *  ├ table number ┼ field 0 ┼ field 1 ┼ … ┤      a field: big-endian load, masked
 * ```
 *
 * and a value is the tag: low word, high word, little-endian; 0 and 0 where
 * nobody receives.
 */

import { given } from "../../../caps/kernel/given.ts";
import type {
  KernelMap,
  KernelMapChange,
} from "../../../caps/driver/program.ts";
import type { Tag } from "../../../caps/kernel/tag.ts";
import type { FlowsBranch } from "../tree/node.ts";
import { FLOW_FIELDS_MAX, FLOWS_MAX, ProgramTooLarge } from "./limits.ts";

/** One exact flow. */
export interface FlowEntry {
  /** The masked value of each of the table's fields. */
  readonly key: readonly number[];
  /** Whose packets these are; 0 and 0 for nobody's. */
  readonly tag: Tag;
}

/** Where a table went. */
export interface TablePlace {
  /** The map's index in the program. */
  readonly map: number;
  /** The first word of its keys. */
  readonly table: number;
}

/** Room of a map: entries for each flow that there is when it is made, and the least. */
const ROOM_FACTOR = 2;
const ROOM_MIN = 256;

interface FlowMap {
  readonly fieldCount: number;
  /** Keys and tags. */
  readonly words: number[];
}

/** Collects the flow tables of a program, and makes maps of them. */
export class FlowTables {
  readonly #firstMap: number;
  readonly #maps: FlowMap[] = [];
  readonly #places = new Map<FlowsBranch, TablePlace>();
  #tableCount = 0;
  #flowCount = 0;

  /** `firstMap`: the index that the first map of flows will have. */
  constructor(firstMap: number) {
    this.#firstMap = firstMap;
  }

  /**
   * Adds a table whose keys have `fieldCount` fields.
   * @throws {ProgramTooLarge} beyond FLOW_FIELDS_MAX fields or FLOWS_MAX flows.
   */
  add(fieldCount: number, entries: readonly FlowEntry[]): TablePlace {
    if (fieldCount > FLOW_FIELDS_MAX) {
      throw new ProgramTooLarge(
        `a flow has ${fieldCount} fields; ${FLOW_FIELDS_MAX} is the most`,
      );
    }
    this.#flowCount += entries.length;
    if (this.#flowCount > FLOWS_MAX) {
      throw new ProgramTooLarge(`there are more than ${FLOWS_MAX} flows`);
    }
    let index = this.#maps.findIndex((map) => map.fieldCount === fieldCount);
    if (index < 0) index = this.#maps.push({ fieldCount, words: [] }) - 1;
    const table = this.#tableCount++;
    const { words } = this.#maps[index]!;
    for (const { key, tag } of entries) {
      words.push(table);
      for (const value of key) words.push(value);
      words.push(tag.low, tag.high);
    }
    return { map: this.#firstMap + index, table };
  }

  /** Notes where the plain flows of a branch went: all of them. */
  note(branch: FlowsBranch, place: TablePlace): void {
    this.#places.set(branch, place);
  }

  /** The flows as they are, to be changed while the program runs. */
  running(): RunningTables {
    const rooms = this.#maps.map((map) => ({
      count: countOf(map),
      room: roomOf(map),
    }));
    return new RunningTables(this.#places, this.#firstMap, rooms);
  }

  /** The maps, in the order of their indices. */
  maps(): KernelMap[] {
    return this.#maps.map((map) => {
      const { fieldCount, words } = map;
      return {
        kind: "flows",
        keyBytes: 4 * (1 + fieldCount),
        entriesMax: roomOf(map),
        entries: wordsToBytes(words),
      };
    });
  }
}

function countOf({ fieldCount, words }: FlowMap): number {
  return words.length / (fieldCount + 3);
}

function roomOf(map: FlowMap): number {
  return Math.max(ROOM_MIN, countOf(map) * ROOM_FACTOR);
}

/** The flow tables of a program that runs: what they hold, or will once all changes are made. */
export class RunningTables {
  readonly #places: ReadonlyMap<FlowsBranch, TablePlace>;
  readonly #firstMap: number;
  readonly #rooms: readonly { count: number; readonly room: number }[];
  /** The last change of each key. */
  #changes = new Map<string, KernelMapChange>();

  /** Tables by branch of the tree; how many flows each map has, and has room for. */
  constructor(
    places: ReadonlyMap<FlowsBranch, TablePlace>,
    firstMap: number,
    rooms: readonly { count: number; readonly room: number }[],
  ) {
    this.#places = places;
    this.#firstMap = firstMap;
    this.#rooms = rooms;
  }

  /**
   * Adds a flow that is not there.
   * @returns false when its branch is no table, or has no room.
   */
  add(branch: FlowsBranch, { key, tag }: FlowEntry): boolean {
    const place = this.#places.get(branch);
    if (place === undefined) return false;
    const map = this.#rooms[place.map - this.#firstMap]!;
    if (map.count === map.room) return false;
    map.count++;
    this.#change(place, key, wordsToBytes([tag.low, tag.high]));
    return true;
  }

  /** Takes a flow out that is there. @returns false when its branch is no table. */
  delete(branch: FlowsBranch, key: readonly number[]): boolean {
    const place = this.#places.get(branch);
    if (place === undefined) return false;
    this.#rooms[place.map - this.#firstMap]!.count--;
    this.#change(place, key);
    return true;
  }

  /** The changes since this was asked last; what goes comes first, so that there is room. */
  take(): KernelMapChange[] {
    const changes = [...this.#changes.values()];
    this.#changes = new Map();
    return [
      ...changes.filter(({ value }) => value === undefined),
      ...changes.filter(({ value }) => value !== undefined),
    ];
  }

  #change(
    { map, table }: TablePlace,
    key: readonly number[],
    value?: Uint8Array<ArrayBuffer>,
  ): void {
    const bytes = wordsToBytes([table, ...key]);
    const change = {
      map,
      key: bytes,
      ...given({ value }),
    };
    this.#changes.set(`${map} ${table} ${key.join()}`, change);
  }
}

function wordsToBytes(words: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => view.setUint32(index * 4, word, true));
  return bytes;
}
