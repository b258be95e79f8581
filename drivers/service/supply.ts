/**
 * Keeps a NIC supplied with frames to receive into, and keeps back what holders
 * are entitled to: whatever one of them keeps or has in flight, another one's
 * quota is there when it sends.
 */

import {
  BATCH_MAX,
  EXTENT_PAGES,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import type { PageLedger } from "../../caps/memory/page_ledger.ts";
import type { Driver } from "../driver.ts";
import type { Entitlements } from "./page_quota.ts";

/**
 * The part of packet memory that is kept back at the least, and that the NIC has
 * at the least: 1 in so many. Quotas are never more than the rest.
 */
const PART = 4;

/** Keeps one NIC's receive ring filled. */
export class Supply {
  readonly #driver: Driver;
  readonly #ledger: PageLedger;
  readonly #entitlements: Entitlements;
  /** Whether the NIC receives into extents: packets may be larger than a page. */
  readonly #intoExtents: boolean;
  readonly #keptBackMin: number;
  readonly #keptBackMax: number;
  /** Frames that the NIC's ring surely has room for; not known before it was full once. */
  #room = Infinity;
  /** Scratch, one batch long. */
  readonly #frames = new Uint32Array(BATCH_MAX);

  /** Fills the ring of `driver` with what is idle in `ledger`. */
  constructor(driver: Driver, ledger: PageLedger, entitlements: Entitlements) {
    this.#driver = driver;
    this.#ledger = ledger;
    this.#entitlements = entitlements;
    this.#intoExtents = driver.info.frameBytesMax > PAGE_BYTES;
    this.#keptBackMin = Math.floor(this.#idle / PART);
    this.#keptBackMax = this.#idle - this.#keptBackMin;
  }

  /** Puts frames, or extents, into the NIC's ring. */
  provide(): void {
    const entitled = Math.min(this.#entitled, this.#keptBackMax);
    const spare = this.#idle - Math.max(this.#keptBackMin, entitled);
    const count = Math.min(spare, this.#room, BATCH_MAX);
    if (count <= 0) return;
    const ledger = this.#ledger;
    for (let i = 0; i < count; i++) {
      this.#frames[i] = this.#intoExtents
        ? ledger.takeIdleExtent()
        : ledger.takeIdle();
    }
    const taken = this.#driver.provide(this.#frames, count);
    for (let i = taken; i < count; i++) ledger.putIdle(this.#frames[i]!);
    // A full ring has room again for what is received, and not before.
    this.#room = taken < count ? 0 : this.#room - taken;
  }

  /** The NIC's ring gave back `count` frames, with packets. */
  received(count: number): void {
    // Where none came, there is time to ask the ring itself.
    this.#room = count === 0 ? Infinity : this.#room + count;
  }

  get #idle(): number {
    const { idleExtentCount, idleCount } = this.#ledger;
    return this.#intoExtents ? idleExtentCount : idleCount;
  }

  /** Frames, or extents, that holders may still ask for. */
  get #entitled(): number {
    const { pages } = this.#entitlements;
    return this.#intoExtents ? Math.ceil(pages / EXTENT_PAGES) : pages;
  }
}
