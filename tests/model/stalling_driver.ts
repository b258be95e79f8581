/** The emulated NIC, which can be told to keep what it is to send. */

import { EmulatedDriver } from "../../drivers/emulated/driver.ts";

/** Sends nothing while it is stalled: what it was given stays in flight. */
export class StallingDriver extends EmulatedDriver {
  stalled = false;

  override reclaim(frames: Uint32Array): number {
    return this.stalled ? 0 : super.reclaim(frames);
  }
}
