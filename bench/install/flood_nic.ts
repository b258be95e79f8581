/** A NIC that always has packets, none of which is anybody's: its driver never rests. */

import {
  type Batch,
  frameOffset,
  type PacketMemory,
} from "../../caps/memory.ts";
import type { Driver, DriverInfo, PageExchange } from "../../drivers/driver.ts";
import { IdleWait } from "../../drivers/idle_wait.ts";
import { MappedPages } from "../../drivers/sys/mapped_pages.ts";

/** Packets that come at once, and the bytes of each. */
const BATCH = 64;
const PACKET_BYTES = 128;

/** Frames that were provided come back at once, a batch a call. */
export class FloodNic implements Driver {
  readonly info: DriverInfo = {
    name: "flood",
    mode: "packets from nowhere",
    mac: new Uint8Array(6),
    frameBytesMax: 1514,
    partialChecksums: false,
    mapped: true,
  };
  readonly pages: PageExchange;
  readonly ended = false;
  readonly #idle = new IdleWait();
  readonly #frames: number[] = [];

  constructor(memory: PacketMemory) {
    this.pages = new MappedPages(memory);
  }

  provide(frames: Uint32Array, count: number): number {
    for (let i = 0; i < count; i++) this.#frames.push(frames[i]!);
    return count;
  }

  receive(batch: Batch, _max: number): number {
    const count = Math.min(BATCH, this.#frames.length);
    for (let i = 0; i < count; i++) {
      batch.offset[i] = frameOffset(this.#frames.pop()!);
      batch.length[i] = PACKET_BYTES;
    }
    return count;
  }

  transmit(_batch: Batch, _count: number): number {
    return 0;
  }

  reclaim(_frames: Uint32Array): number {
    return 0;
  }

  wait(delayMs: number): Promise<void> {
    return this.#idle.wait(delayMs);
  }

  wake(): void {
    this.#idle.wake();
  }

  counters(): Readonly<Record<string, number>> {
    return {};
  }

  [Symbol.dispose](): void {}
}
