/** Packet memories of lives that have ended, which a holder may still write to. */

import type { DriverCounts } from "../../../caps/driver/messages.ts";
import type { PacketMemory } from "../../../caps/memory/memory.ts";

/**
 * All that are kept in this process. A page of such a memory does not keep the
 * memory alive, and a thread that does not stop at once writes on to its pages.
 */
const kept: PacketMemory[] = [];

/** The most memories that one system keeps while it restarts its NIC: nothing says when the last write is done. */
const KEPT_MAX = 16;

/** Packet memories that one system keeps. */
export class KeptMemories {
  #count = 0;

  /** Whether no further life can be risked. */
  get full(): boolean {
    return this.#count >= KEPT_MAX;
  }

  /** Keeps `memory` unless the driver's `last` counts say that all of its pages were free. */
  keep(memory: PacketMemory, last: DriverCounts | undefined): void {
    if (last !== undefined && last.pages.free === last.pages.total) return;
    kept.push(memory);
    this.#count++;
  }
}
