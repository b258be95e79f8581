/** A core that looks at each packet's Ethernet type and is done with it. */

import type { Counts } from "../../caps/driver/accounts.ts";
import type { Core, Frame, Verdict } from "../../services/core/core.ts";
import { type Instant, NEVER } from "../../services/runtime/clock.ts";

/** Counts IPv4 packets. */
export class SinkCore implements Core {
  readonly wakeAt: Instant = NEVER;
  #packets = 0;

  receive(frame: Frame): Verdict {
    const { bytes, start } = frame;
    if (bytes[start + 12] !== 8 || bytes[start + 13] !== 0) {
      return "drop:not-ipv4";
    }
    this.#packets++;
    return "handled";
  }

  wake(): void {}

  counters(): Counts {
    return { packets: this.#packets };
  }
}
