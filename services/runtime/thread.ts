/** Where a part of the system runs: in a confined worker, or in this thread. */

import { startWorker, type WorkerPermissions } from "./start_worker.ts";

/** A part of the system that can be started either way. */
export interface Part<Start> {
  /** The module of its worker. */
  readonly worker: URL;
  /** What its worker may do. */
  readonly permissions: WorkerPermissions;
  /** Whether its worker's heap has a limit; none unless told. */
  readonly limited?: boolean;
  /** Starts it in this thread. */
  readonly here: (start: Start) => void;
}

/** A part that runs. */
export interface Thread {
  /** Ends it, at once and without a word. */
  end(): void;
}

/** How a part is started. */
export interface ThreadOptions {
  readonly transfer: Transferable[];
  /** Hears, in one line, when a worker ends by an error that nobody caught. */
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
}

/** Everything in this thread. */
export const here: Threads = {
  start(part, start) {
    // A later turn, as a worker would begin: who starts it has its ports ready then.
    queueMicrotask(() => part.here(start));
    return { end() {} };
  },
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
    return { end };
  },
};
