/** A system's parts, with a driver that crashes. */

import { type DriverStart, startDriver } from "../../drivers/service/start.ts";
import { PARTS } from "../../services/system/boot.ts";
import type { Parts } from "../../services/system/parts.ts";
import {
  type Crash,
  type CrashingNicOptions,
  openCrashingNic,
} from "./crashing_nic.ts";

/** The usual parts, with a driver that crashes after so many packets, in each of its lives. */
export function partsWith(crash: Crash, goodPackets: number): Parts {
  return {
    ...PARTS,
    nic(manifest) {
      const nic = PARTS.nic(manifest);
      return {
        ...nic,
        options: { ...nic.options as object, crash, goodPackets },
        part: {
          ...nic.part,
          worker: new URL("./crashing_worker.ts", import.meta.url),
          here: (start) =>
            void startDriver(
              start as DriverStart<CrashingNicOptions>,
              openCrashingNic,
              true,
            ),
        },
      };
    },
  };
}
