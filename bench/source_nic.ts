/** What NICs of benchmarks have in common that only give packets: nothing is sent through them. */

import type { Counts } from "../caps/driver/accounts.ts";
import type { Batch, PacketMemory } from "../caps/memory/memory.ts";
import type { Driver, DriverInfo, PageExchange } from "../drivers/driver.ts";
import { IdleWait } from "../drivers/kit/idle_wait.ts";
import { MappedPages } from "../drivers/sys/mapped_pages.ts";

/** A NIC that packets come from. */
export abstract class SourceNic implements Driver {
  readonly info: DriverInfo;
  readonly pages: PageExchange;
  readonly ended = false;
  readonly #idle = new IdleWait();

  /** Over `memory`, with packets of at most `frameBytesMax`. */
  constructor(memory: PacketMemory, frameBytesMax: number) {
    this.info = {
      name: "bench",
      mode: "packets from nowhere",
      mac: new Uint8Array(6),
      frameBytesMax,
      partialChecksums: false,
    };
    this.pages = new MappedPages(memory);
  }

  abstract provide(frames: Uint32Array, count: number): number;

  abstract receive(batch: Batch, max: number): number;

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

  counters(): Counts {
    return {};
  }

  [Symbol.dispose](): void {}
}
