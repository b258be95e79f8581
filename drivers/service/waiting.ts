/** How the driver service waits: for its NIC, and for what holders have sent. */

import type { PortId } from "../../caps/kernel/kernel.ts";
import type { Driver } from "../driver.ts";
import type { DirectHolders } from "./direct_holders.ts";
import type { Holder } from "./holder.ts";
import type { PortReader } from "./port_reader.ts";
import type { Processes } from "./processes.ts";

export interface WaitingParts {
  readonly driver: Driver;
  readonly holders: ReadonlyMap<PortId, Holder>;
  readonly reader: PortReader;
  readonly direct: DirectHolders;
  readonly processes: Processes;
  readonly turn: { readonly nowMs: number };
}

/** Waits for one driver service. */
export class Waiting {
  readonly #parts: WaitingParts;
  /** Whether all holders are told by descriptors, or called. */
  #here = false;

  constructor(parts: WaitingParts) {
    this.#parts = parts;
  }

  /** A holder has come or gone. */
  holdersChanged(): void {
    const { driver, holders, processes } = this.#parts;
    const here = [...holders.values()].every(({ id, port, direct }) =>
      direct !== undefined || processes.get(id)?.data === port
    );
    this.#here = here && holders.size > 0 && driver.waitHere !== undefined;
  }

  /** Resolves when there may be something to do, at the latest after `delayMs`. */
  aside(delayMs: number): Promise<void> {
    return this.#parts.driver.wait(this.#sleepMs(delayMs));
  }

  /**
   * Waits on this thread, which spares a wake-up; no event is served meanwhile.
   * Returns false, at once, where a holder's message is such an event.
   */
  here(delayMs: number): boolean {
    if (this.#here) this.#parts.driver.waitHere!(this.#sleepMs(delayMs));
    return this.#here;
  }

  #sleepMs(delayMs: number): number {
    const { reader, direct, processes, turn: { nowMs } } = this.#parts;
    const sleepMs = reader.sleepMs(direct.sleepMs(delayMs), nowMs);
    return processes.sleepMs(sleepMs, nowMs);
  }
}
