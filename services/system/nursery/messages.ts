/** What crosses between the system and its nursery. */

import type { WorkerPermissions } from "../../runtime/start_worker.ts";

/** The first message to a nursery. */
export interface NurseryStart {
  /** To the system. */
  readonly control: MessagePort;
}

/** From the system to a nursery. */
export type NurseryOrder =
  /** Starts a worker of `module` and posts it `start`. What is transferred to it comes with this. */
  | {
    readonly kind: "start";
    /** Number of the worker, which the system chooses. */
    readonly worker: number;
    readonly module: string;
    readonly permissions: WorkerPermissions;
    readonly start: unknown;
    readonly transfer: Transferable[];
    readonly limited: boolean;
  }
  /** Closes what a driver that died had of the kernel. Answered by `released`. */
  | {
    readonly kind: "release";
    readonly id: number;
    readonly resources: SharedArrayBuffer;
  }
  /** Terminates a worker. */
  | { readonly kind: "end"; readonly worker: number }
  /** Terminates every worker. The nursery is terminated as well. */
  | { readonly kind: "stop" };

/** From a nursery to the system. */
export type NurseryReport =
  /** A worker ended by an uncaught error. */
  | {
    readonly kind: "crashed";
    readonly worker: number;
    readonly message: string;
  }
  | { readonly kind: "released"; readonly id: number };
