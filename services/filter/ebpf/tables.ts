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

import type { KernelMap } from "../../../caps/program.ts";
import type { Tag } from "../../../caps/tag.ts";
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

/** Collects the flow tables of a program, and makes maps of them. */
export class FlowTables {
  readonly #firstMap: number;
  readonly #maps: { readonly fieldCount: number; readonly words: number[] }[] =
    [];
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

  /** The maps, in the order of their indices. */
  maps(): KernelMap[] {
    return this.#maps.map(({ fieldCount, words }) => {
      const entries = new Uint8Array(words.length * 4);
      const view = new DataView(entries.buffer);
      words.forEach((word, index) => view.setUint32(index * 4, word, true));
      return {
        kind: "flows",
        keyBytes: 4 * (1 + fieldCount),
        entriesMax: words.length / (fieldCount + 3),
        entries,
      };
    });
  }
}
