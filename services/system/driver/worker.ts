/**
 * The worker of a driver with services in its thread. Its module brings every driver
 * and every core: a worker may load nothing later than that.
 */

import {
  type OpenDriver,
  serveCallingDriver,
} from "../../../drivers/service/start.ts";
import { NIC_DRIVERS } from "./drivers.ts";
import { runCalled } from "./run_called.ts";

/** What this worker is told besides the options of its NIC. */
interface OfKind {
  readonly nicKind: keyof typeof NIC_DRIVERS;
}

serveCallingDriver<OfKind>((options, memory, signal) => {
  // Its kind's options, which the system made.
  const open = NIC_DRIVERS[options.nicKind].open as OpenDriver<never>;
  return open(options as never, memory, signal);
}, runCalled);
