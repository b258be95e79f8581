/** The emulated NIC, which can be told to keep what it is to send, and to look like another one. */

import type { PacketMemory } from "../../caps/memory/memory.ts";
import type { PageExchange } from "../../drivers/driver.ts";
import {
  EmulatedDriver,
  type EmulatedOptions,
} from "../../drivers/emulated/driver.ts";

/** In what it is like another NIC. */
export interface Likeness {
  /** Packets may come from this machine, with checksums left to hardware. */
  readonly partialChecksums?: boolean;
  /** Extents of its memory; none by default. */
  readonly extents?: number;
  /** Super-packets come and go, in extents; its wire takes 1,514 bytes. */
  readonly superPackets?: boolean;
  /** How its frames become pages. */
  readonly pages?: (memory: PacketMemory) => PageExchange;
}

/** Sends nothing while it is stalled: what it was given stays in flight. */
export class StallingDriver extends EmulatedDriver {
  stalled = false;

  constructor(options: EmulatedOptions, likeness: Likeness = {}) {
    super(options);
    const { partialChecksums, pages } = likeness;
    if (partialChecksums) Object.assign(this.info, { partialChecksums });
    if (pages) Object.assign(this, { pages: pages(options.memory) });
  }

  override reclaim(frames: Uint32Array): number {
    return this.stalled ? 0 : super.reclaim(frames);
  }
}
