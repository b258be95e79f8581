/** One capability in the driver: its limits and its counts. */

import { Tally } from "../../caps/driver/accounts.ts";
import type { AccountCounts, AccountSpec } from "../../caps/driver/messages.ts";
import { type Capability, capabilityOf } from "../../caps/kernel/capability.ts";
import { INLINE_BYTES_MAX } from "../../caps/port/records.ts";
import type { Holder } from "./holder.ts";
import type { Meters } from "./meter.ts";
import type { Named } from "./open_string.ts";
import type { PageQuota } from "./page_quota.ts";

/** Made when the capability is minted or derived, and kept until its last page is back and longer. */
export class Account implements Named {
  readonly spec: AccountSpec;
  readonly holder: Holder;
  readonly capability: Capability;
  readonly drops: Tally = new Tally();
  /** Rate limits; undefined where neither this capability nor an ancestor is limited, so that nothing is asked for a packet. */
  readonly meters: Meters | undefined;
  /** False once the capability was revoked. */
  live = true;
  /** The slot that gets the packets of a revoked capability; undefined until it was revoked. */
  fallback: number | undefined;
  readonly pages: PageQuota;
  /** Longer packets go in pages. */
  readonly copyBytesMax: number;
  deliveredPackets = 0;
  deliveredBytes = 0;
  sentPackets = 0;
  sentBytes = 0;
  namedIn = 0;
  place = 0;

  constructor(
    spec: AccountSpec,
    holder: Holder,
    pages: PageQuota,
    meters?: Meters,
  ) {
    this.spec = spec;
    this.copyBytesMax = Math.min(spec.copyBytesMax, INLINE_BYTES_MAX);
    this.meters = meters;
    this.holder = holder;
    this.pages = pages;
    this.capability = capabilityOf({ low: spec.tagLow, high: spec.tagHigh });
  }

  /** Counts a packet that the holder gets. */
  countDelivered(lengthBytes: number): void {
    this.deliveredPackets++;
    this.deliveredBytes += lengthBytes;
  }

  /** All counts so far. */
  counts(): AccountCounts {
    return {
      slot: this.spec.slot,
      port: this.holder.id,
      heldPages: this.pages.held,
      quotaPages: this.pages.quota,
      deliveredPackets: this.deliveredPackets,
      deliveredBytes: this.deliveredBytes,
      sentPackets: this.sentPackets,
      sentBytes: this.sentBytes,
      drops: this.drops.snapshot(),
    };
  }
}
