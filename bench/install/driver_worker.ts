/**
 * The driver's worker of `install`: a driver service as it always is, and how
 * long its NIC was not looked at.
 */

import type { Driver } from "../../drivers/driver.ts";
import { serveDriver } from "../../drivers/service/start.ts";
import { openXdp } from "../../drivers/xdp/open.ts";
import { FloodNic } from "./flood_nic.ts";

/** Which NIC, and where the longest gap goes. */
interface InstallNicOptions {
  /** A Linux interface; a NIC that never rests by default. */
  readonly interfaceName?: string;
  /** One word: the longest time between two looks at the NIC with no wait between, in microseconds. */
  readonly gapUs: Int32Array<SharedArrayBuffer>;
}

serveDriver<InstallNicOptions>(({ interfaceName, gapUs }, memory) => {
  const nic = interfaceName === undefined
    ? new FloodNic(memory)
    : openXdp({ interfaceName, memory });
  return watched(nic, gapUs);
});

/** Watches a driver: the longest time between two of its turns is stored. */
function watched(nic: Driver, gapUs: Int32Array<SharedArrayBuffer>): Driver {
  const receive = nic.receive.bind(nic);
  const wait = nic.wait.bind(nic);
  let lastMs = performance.now();
  return Object.assign(nic, {
    receive(...at: Parameters<Driver["receive"]>): number {
      const nowMs = performance.now();
      const gap = Math.round((nowMs - lastMs) * 1000);
      if (gap > Atomics.load(gapUs, 0)) Atomics.store(gapUs, 0, gap);
      const count = receive(...at);
      lastMs = performance.now();
      return count;
    },
    async wait(delayMs: number): Promise<void> {
      await wait(delayMs);
      lastMs = performance.now();
    },
  });
}
