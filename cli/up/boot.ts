/** What the command line needs of a system: to start it, watch it, stop it. */

import type { Manifest } from "../../services/manifest/manifest.ts";
import type { SystemSnapshot } from "../../services/system/snapshot.ts";

/** How a system ended by itself. */
export type Ending =
  | { readonly reason: "nic-ended"; readonly warning?: string }
  | { readonly reason: "failed"; readonly error: Error };

/** A system that runs. */
export interface System {
  /** The system at this moment. */
  snapshot(): Promise<SystemSnapshot>;
  /** Resolves when the system ended by itself. */
  readonly ended: Promise<Ending>;
  /** Stops it and closes the NIC; gives the last counts. */
  stop(): Promise<SystemSnapshot>;
}

/** Starts a system. */
export type Boot = (
  manifest: Manifest,
  options: {
    readonly confined: boolean;
    /** Told when a service, or without its name the driver, has failed and will be started again. */
    readonly onRestart: (restart: {
      readonly service?: string;
      readonly failure: string;
      readonly delayMs: number;
    }) => void;
    /** Told when a service has failed for good, and why in one line. */
    readonly onServiceFailed: (name: string, failure: string) => void;
  },
) => Promise<System>;
