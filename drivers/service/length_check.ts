/**
 * Leaves out what arrived longer than the link takes: an answer in place would
 * be too long to be sent. An interface receives more than its MTU says where
 * its neighbours have a larger one.
 */

import {
  type Batch,
  frameAt,
  type PacketMemory,
} from "../../caps/memory/memory.ts";
import type { PageLedger } from "../../caps/memory/page_ledger.ts";
import { GSO_NONE, gsoOf } from "../../caps/port/offload.ts";
import { type DriverInfo, wireBytesMaxOf } from "../driver.ts";
import { isTooLong } from "../kit/vlan_tags.ts";

/** What is checked. */
export interface LengthCheckParts {
  /** The NIC's: its limit is what an MTU says now. */
  readonly info: DriverInfo;
  readonly memory: PacketMemory;
  readonly ledger: PageLedger;
}

/** Checks the lengths of what arrives. */
export class LengthCheck {
  readonly #parts: LengthCheckParts;
  /** Packets that were left out. */
  tooLarge = 0;

  constructor(parts: LengthCheckParts) {
    this.#parts = parts;
  }

  /**
   * Keeps those of `batch[0..count)` that are not too long, or are super-packets,
   * in order; frames of the others are idle afterwards. Returns how many it kept.
   */
  keep(batch: Batch, count: number): number {
    const wireBytesMax = wireBytesMaxOf(this.#parts.info);
    const { length } = batch;
    // Mostly all of them are short enough, which one look at each tells.
    let longest = 0;
    for (let i = 0; i < count; i++) {
      if (length[i]! > longest) longest = length[i]!;
    }
    return longest > wireBytesMax
      ? this.#leaveOut(batch, count, wireBytesMax)
      : count;
  }

  #leaveOut(batch: Batch, count: number, wireBytesMax: number): number {
    const { memory, ledger } = this.#parts;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const offset = batch.offset[i]!;
      const length = batch.length[i]!;
      const offload = batch.offload[i]!;
      if (
        gsoOf(offload) === GSO_NONE &&
        isTooLong(wireBytesMax, memory.bytes, offset, length)
      ) {
        this.tooLarge++;
        ledger.putIdle(frameAt(offset));
        continue;
      }
      batch.offset[kept] = offset;
      batch.length[kept] = length;
      batch.tagLow[kept] = batch.tagLow[i]!;
      batch.tagHigh[kept] = batch.tagHigh[i]!;
      batch.offload[kept] = offload;
      kept++;
    }
    return kept;
  }
}
