/** Where a classifier's tables and records lie in packet memory. */

import { TABLES_BYTES, TABLES_OFFSET } from "../../../caps/memory/memory.ts";
import type { FlowsBranch } from "../tree/node.ts";
import { FilterLimitError } from "../tree/merge.ts";
import type { DataSegment } from "./encoder.ts";
import {
  FlowTable,
  type KeyShape,
  type TableEntry,
  tableSize,
} from "./flow_table.ts";

const ALIGNMENT = 64;

/** One place in the code that looks a branch's flows up. */
export interface FlowSite {
  /** Absent where no flow of the branch can be: then none can come later either. */
  readonly table: FlowTable | undefined;
  /** A flow's key as the table's words; undefined when no packet has it. */
  wordsOf(key: readonly number[]): readonly bigint[] | undefined;
}

/** Places tables one behind the other in the classifier's part of memory. */
export class TableSpace {
  /** Where each branch's flows are looked up: everywhere that the branch was written. */
  readonly flows: Map<FlowsBranch, FlowSite[]> = new Map();
  readonly #contents: (() => readonly DataSegment[])[] = [];
  #used = 0;

  /** What memory is to hold when the module is instantiated. */
  get segments(): readonly DataSegment[] {
    return this.#contents.flatMap((segments) => segments());
  }

  /**
   * Builds a table. No key may come twice.
   *
   * @throws {FilterLimitError} when all tables together are too large.
   */
  add(shape: KeyShape, entries: readonly TableEntry[]): FlowTable {
    const size = tableSize(shape, entries.length);
    const displacements = this.reserve(size.displacementsBytes);
    const address = this.reserve(size.entriesBytes);
    const table = new FlowTable(shape, entries, { displacements, address });
    this.#contents.push(() => table.segments());
    return table;
  }

  /** Notes where a branch's flows are looked up. */
  note(branch: FlowsBranch, site: FlowSite): void {
    const sites = this.flows.get(branch);
    if (sites === undefined) this.flows.set(branch, [site]);
    else sites.push(site);
  }

  /** Has memory hold `bytes`, which may change until the module is encoded, from `address` on. */
  fill(address: number, bytes: Uint8Array): void {
    this.#contents.push(() => [{ address, bytes }]);
  }

  /**
   * Takes `sizeBytes` of memory. Returns where they are.
   * @throws {FilterLimitError} when there is not as much.
   */
  reserve(sizeBytes: number): number {
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
