/** A NIC of the caller's own: a driver that comes from somewhere else. */

import type { PacketMemory } from "../../../caps/memory/memory.ts";
import type { Driver } from "../../../drivers/driver.ts";
import {
  type DriverStart,
  startDriver,
} from "../../../drivers/service/start.ts";
import type { Manifest } from "../../manifest/manifest.ts";
import { servicesIn } from "../../manifest/place.ts";
import type { WorkerPermissions } from "../../runtime/start_worker.ts";
import type { Nic } from "../parts.ts";

/** A NIC that stands in for the manifest's `nic`, as `boot` is told of it. */
export interface PluggedNic {
  /** With `confined: false` or `"process"`: opens it, in the caller's thread, on packet memory that it borrows. */
  readonly open?: (memory: PacketMemory) => Driver;
  /** With `confined: true`: the module of its worker, which calls `serveDriver`. */
  readonly worker?: URL;
  /** For that worker, in its first message: plain data. */
  readonly options?: unknown;
  /** What that worker may do; nothing by default. */
  readonly permissions?: WorkerPermissions;
  /** Whether its pages are packet memory itself: then that is never used again after a crash. */
  readonly mapped?: boolean;
  /** Whether its driver is started again when it crashes; true by default. */
  readonly restarts?: boolean;
}

/**
 * @throws {TypeError} when it does not say how it is opened, or its worker is to
 * have services in its thread.
 */
export function pluggedNic(
  nic: PluggedNic,
  confined: boolean,
  { services }: Pick<Manifest, "services">,
): Nic {
  const { open, worker, options, permissions = "none" } = nic;
  if ((confined ? worker : open) === undefined) {
    throw new TypeError(
      confined
        ? "boot: nic.worker is missing: with confined: true a driver runs in a worker, whose module calls serveDriver()"
        : "boot: nic.open is missing: with confined: false a driver is opened in the caller's thread",
    );
  }
  const [called] = servicesIn("driver", services);
  if (confined && called !== undefined) {
    throw new TypeError(
      `boot: service ${called} has "place": "driver", and the worker of a NIC of your own has no services in it; give it another place, or say confined: false`,
    );
  }
  return {
    part: {
      worker: worker ?? new URL("data:,"),
      permissions,
      here: (start) =>
        void startDriver(
          start as DriverStart<unknown>,
          (_options: unknown, memory) => open!(memory),
          true,
        ),
    },
    options,
    transfer: [],
    mapped: nic.mapped ?? false,
    restarts: nic.restarts ?? true,
  };
}
