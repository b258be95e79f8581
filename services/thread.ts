/** Where a part of the system runs: in a confined worker, or in this thread. */

/** Permissions of a worker, as Deno's worker options take them. */
export type WorkerPermissions =
  | "none"
  | Readonly<Record<string, boolean | readonly string[]>>;

/** A part of the system that can be started either way. */
export interface Part<Start> {
  /** The module of its worker. */
  readonly worker: URL;
  /** What its worker may do. */
  readonly permissions: WorkerPermissions;
  /** Starts it in this thread. */
  readonly here: (start: Start) => void;
}

/** A part that runs. */
export interface Thread {
  /** Ends it, at once and without a word. */
  end(): void;
}

/**
 * Starts `part` with `start`. `onCrash` hears, in one line, when a worker ends
 * by an error that nobody caught.
 */
export function startPart<Start>(
  part: Part<Start>,
  start: Start,
  options: {
    readonly confined: boolean;
    readonly transfer: Transferable[];
    readonly onCrash: (message: string) => void;
  },
): Thread {
  if (!options.confined) {
    // A later turn, as a worker would begin: who starts it has its ports ready then.
    queueMicrotask(() => part.here(start));
    return { end() {} };
  }
  const worker = new Worker(part.worker, {
    type: "module",
    deno: { permissions: part.permissions },
  } as WorkerOptions);
  worker.onerror = (event) => {
    event.preventDefault();
    options.onCrash(event.message);
    worker.terminate();
  };
  worker.postMessage(start, options.transfer);
  return { end: () => worker.terminate() };
}
