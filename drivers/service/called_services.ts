/** The services in the driver's own thread: what starts them is somebody else's. */

import type { PortId } from "../../caps/kernel/kernel.ts";
import type { DirectEnd } from "../../caps/port/direct_end.ts";
import type { DriverService } from "./service.ts";

/**
 * Runs a service in this thread; what is wrong with it, it tells the system itself.
 * `service` is what the system ordered; `end` is by what its packets come, and is
 * undefined where they come by a port.
 */
export type RunCalled = (service: unknown, end: DirectEnd | undefined) => void;

/** Runs services for one driver service. */
export class CalledServices {
  readonly #service: DriverService;
  readonly #run: RunCalled | undefined;
  readonly #ends = new Map<PortId, DirectEnd>();

  /** Without `run`, none can be run. */
  constructor(service: DriverService, run: RunCalled | undefined) {
    this.#service = service;
    this.#run = run;
  }

  /** Connects a holder that is called. */
  attach(port: PortId): void {
    this.#ends.set(port, this.#service.attachDirect(port));
  }

  /**
   * Runs the service of a holder.
   * @throws {Error} where no service can be run: nobody is to order it there.
   */
  run(port: PortId, service: unknown): void {
    if (this.#run === undefined) {
      throw new Error("driver service: no service can run in its thread");
    }
    this.#run(service, this.#ends.get(port));
  }

  /** Forgets a holder that was terminated. */
  detach(port: PortId): void {
    this.#ends.delete(port);
  }
}
