/** What a driver's thread is told of a service that runs there. */

import type { ServiceStart } from "../../core/messages.ts";

/** A service, ready to be started in the driver's thread. */
export interface CalledStart {
  /** Name in the manifest. */
  readonly name: string;
  /** The core's name, or `module`. */
  readonly core: string;
  readonly start: ServiceStart;
}
