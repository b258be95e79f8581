/** Starts one worker, with the permissions that it is given and no more. */

import { withHeapLimit } from "./heap_limit.ts";

/** A worker, before it runs. */
export interface WorkerStart {
  /** The address of its module. */
  readonly module: string;
  /** What it may do: nothing that its creator may not. */
  readonly permissions: WorkerPermissions;
  /** The first message to it. */
  readonly start: unknown;
  readonly transfer: Transferable[];
  /** Whether its heap has a limit; what exceeds it is broken off. */
  readonly limited: boolean;
}

/**
 * Starts it. `onCrash` hears, in one line, when it ends by an error that nobody
 * caught. Returns what ends it, at once and without a word.
 */
export function startWorker(
  { module, permissions, start, transfer, limited }: WorkerStart,
  onCrash: (message: string) => void,
): () => void {
  const options = { type: "module", deno: { permissions } } as WorkerOptions;
  const make = () => new Worker(module, options);
  const worker = limited ? withHeapLimit(make) : make();
  worker.onerror = (event) => {
    event.preventDefault();
    worker.terminate();
    onCrash(event.message);
  };
  worker.postMessage(start, transfer);
  return () => worker.terminate();
}

/** Permissions of a worker, as Deno's worker options take them. */
export type WorkerPermissions =
  | "none"
  | Readonly<Record<string, boolean | "inherit" | readonly string[]>>;
