/** A running classifier's tables: flows and send grants come and go in them without compiling. */

import type { FlowsBranch } from "../tree/node.ts";
import type { Permits, SendGrant } from "./permits.ts";
import type { FlowSite } from "./table_space.ts";
import { WordWrites } from "./word_writes.ts";

/**
 * What the tables of one module hold, or will once all that {@link take} has
 * given is written. A change that does not fit leaves them as nobody has them:
 * compile afresh then.
 */
export class WasmTables {
  readonly #sites: ReadonlyMap<FlowsBranch, readonly FlowSite[]>;
  readonly #permits: Permits;
  readonly #writes = new WordWrites();

  /** The tables by branch of the tree, and the send grants. */
  constructor(
    sites: ReadonlyMap<FlowsBranch, readonly FlowSite[]>,
    permits: Permits,
  ) {
    this.#sites = sites;
    this.#permits = permits;
  }

  /**
   * Gives the packets of a flow to `slot`.
   * @returns false when there is no room.
   */
  setFlow(branch: FlowsBranch, key: readonly number[], slot: number): boolean {
    // Where the branch was not written no packet can come to it.
    return (this.#sites.get(branch) ?? []).every(({ table, wordsOf }) => {
      const words = wordsOf(key);
      if (words === undefined) return true;
      const entry = { key: words, value: slot + 1 };
      return table !== undefined && table.set(entry, this.#writes);
    });
  }

  /** Takes a flow out. */
  deleteFlow(branch: FlowsBranch, key: readonly number[]): void {
    for (const { table, wordsOf } of this.#sites.get(branch) ?? []) {
      const words = wordsOf(key);
      if (words !== undefined) table?.delete(words, this.#writes);
    }
  }

  /**
   * Lets a slot send what its grant matches.
   * @returns false when that needs code that is not there, or room.
   */
  setSend(send: SendGrant): boolean {
    return this.#permits.set(send, this.#writes);
  }

  /** Lets a slot send nothing. */
  deleteSend(slot: number): void {
    this.#permits.delete(slot, this.#writes);
  }

  /** The words to be written since this was asked last: address and word by turns. */
  take(): Uint32Array<ArrayBuffer> {
    return this.#writes.take();
  }
}
