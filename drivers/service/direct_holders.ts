/** Holders in the driver's own thread: what calls them, and their ends. */

import type { DirectEnd } from "../../caps/port/direct_end.ts";
import { DirectDeliverer, type DirectParts } from "./direct_deliverer.ts";
import { DirectOutbox } from "./direct_outbox.ts";
import type { Holder } from "./holder.ts";

/** How soon it is looked whether there is room for a holder that waits for it. */
const ROOM_MS = 1;

export interface DirectHoldersParts extends DirectParts {
  /** Takes back the frames that the NIC has sent. */
  readonly reclaim: () => void;
}

/** All such holders of one driver service. */
export class DirectHolders {
  /** Calls them. */
  readonly deliverer: DirectDeliverer;
  readonly #parts: DirectHoldersParts;

  constructor(parts: DirectHoldersParts) {
    this.#parts = parts;
    this.deliverer = new DirectDeliverer(parts);
  }

  /** Before the driver service sleeps: how long it may, at most `delayMs`. */
  sleepMs(delayMs: number): number {
    return this.deliverer.waits ? Math.min(delayMs, ROOM_MS) : delayMs;
  }

  /** Makes the end of `holder`, which has no port. */
  endOf(holder: Holder): DirectEnd {
    const call = holder.direct!;
    const { deliverer } = this;
    const end = new DirectOutbox(holder, call, { ...this.#parts, deliverer });
    call.sender = end;
    return end;
  }
}
