/** What crosses between the system and its nursery. */

import type { ProcessStart } from "../../runtime/process/start_process.ts";
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
  /** Starts the process of a service. Its ports are transferred. */
  | {
    readonly kind: "start-process";
    /** Number of the process, among those of workers. */
    readonly worker: number;
    readonly process: ProcessStart;
  }
  /** Terminates every worker, and kills every process. Answered by `all-ended`. */
  | { readonly kind: "end-all"; readonly id: number }
  /** Closes what a driver that died had of the kernel. Answered by `released`. */
  | {
    readonly kind: "release";
    readonly id: number;
    readonly resources: SharedArrayBuffer;
  }
  /** Terminates a worker, or kills a process. */
  | { readonly kind: "end"; readonly worker: number }
  /** Terminates every worker. The nursery is terminated as well. */
  | { readonly kind: "stop" };

/** From a nursery to the system. */
export type NurseryReport =
  /** A worker ended by an uncaught error, or a process ended. */
  | {
    readonly kind: "crashed";
    readonly worker: number;
    readonly message: string;
  }
  /** A process has printed a line. */
  | {
    readonly kind: "printed";
    readonly worker: number;
    readonly line: string;
  }
  | { readonly kind: "all-ended"; readonly id: number }
  | { readonly kind: "released"; readonly id: number };
