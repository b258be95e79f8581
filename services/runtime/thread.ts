/** Where a part of the system runs: in a confined worker, in the driver's thread, or in this one. */

import {
  type ProcessEvents,
  type ProcessStart,
  startProcess,
} from "./process/start_process.ts";
import { startWorker, type WorkerPermissions } from "./start_worker.ts";

/** A part of the system that can be started either way. */
export interface Part<Start> {
  /** The module of its worker. */
  readonly worker: URL;
  /** What its worker may do. */
  readonly permissions: WorkerPermissions;
  /** Whether its worker's heap has a limit; false by default. */
  readonly limited?: boolean;
  /** Starts it in this thread. */
  readonly here: (start: Start) => void;
}

/** Where a part runs, and what it may do there. */
export type Place =
  /** The thread of the program itself, with whatever the program may do. */
  | { readonly kind: "here" }
  /** The thread of the NIC's driver, with whatever that may do. */
  | { readonly kind: "driver" }
  /** A process of its own without any permission. */
  | { readonly kind: "process" }
  /** A worker, with the permissions that it was started with. */
  | {
    readonly kind: "worker";
    readonly permissions: WorkerPermissions;
    /** Whether its heap has a limit. */
    readonly limited: boolean;
  };

/** A part that runs. */
export interface Thread {
  readonly place: Place;
  /** Terminates its worker, or kills its process, if it has one. */
  end(): void;
}

/** How a part is started. */
export interface ThreadOptions {
  readonly transfer: Transferable[];
  /** Hears, in one line, of an uncaught error that ends a worker. */
  readonly onCrash: (message: string) => void;
}

/** Starts parts. */
export interface Threads {
  /** Starts `part` with `start`. */
  start<Start>(
    part: Part<Start>,
    start: Start,
    options: ThreadOptions,
  ): Thread;
  /** Starts a service in a process of its own. */
  startProcess(start: ProcessStart, events: ProcessEvents): Thread;
}

/** Everything in this thread. */
export const here: Threads = {
  start(part, start) {
    // A later turn, as a worker would begin: who starts it has its ports ready then.
    queueMicrotask(() => part.here(start));
    return { place: { kind: "here" }, end() {} };
  },
  startProcess: startOwnProcess,
};

/** A worker for each part, started by this thread. */
export const workers: Threads = {
  start({ worker, permissions, limited = false }, start, options) {
    const { transfer, onCrash } = options;
    const module = worker.href;
    const end = startWorker(
      { module, permissions, start, transfer, limited },
      onCrash,
    );
    return { place: { kind: "worker", permissions, limited }, end };
  },
  startProcess: startOwnProcess,
};

/** A process that this thread reads from, and writes to. */
function startOwnProcess(start: ProcessStart, events: ProcessEvents): Thread {
  return { place: { kind: "process" }, end: startProcess(start, events) };
}
