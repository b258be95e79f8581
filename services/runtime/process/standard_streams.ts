/**
 * The standard streams of a service's own process, which has nothing else. Taken
 * before services/runtime/confine.ts takes the runtime away.
 */

import type { Sink } from "../../../caps/port/stream/writer.ts";
import type { Source } from "../../../caps/port/stream/reader.ts";

/** Where a process speaks with the one that made it. */
export interface StandardStreams extends Source, Sink {
  /** Resolves with how many bytes were read into `into`; -1 at the end. The event loop goes on meanwhile. */
  readAside(into: Uint8Array): Promise<number>;
  /** What the process was started with. */
  readonly argument: string;
  /** Ends the process. */
  exit(): void;
}

/** Undefined in a worker, and where there is no process of a service's own. */
export const standardStreams: StandardStreams | undefined = isMain()
  ? take()
  : undefined;

/** A worker has a global by which it posts to its creator. */
function isMain(): boolean {
  return typeof Deno !== "undefined" && !("postMessage" in globalThis);
}

function take(): StandardStreams {
  const { stdin, stdout } = Deno;
  const exit = Deno.exit.bind(Deno);
  return {
    read: (into, from, to) =>
      orEnd(() => stdin.readSync(into.subarray(from, to))),
    write: (bytes, start, end) =>
      orEnd(() => stdout.writeSync(bytes.subarray(start, end))),
    readAside: async (into) => await stdin.read(into).catch(() => null) ?? -1,
    argument: Deno.args[0] ?? "",
    exit: () => exit(0),
  };
}

/** A pipe whose other end is closed is at its end, for whoever writes too. */
function orEnd(call: () => number | null): number {
  try {
    return call() ?? -1;
  } catch {
    return -1;
  }
}
