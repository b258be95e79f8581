/**
 * The code of services in processes: put together as one file in memory, once
 * for all that have the same. So a process starts sooner, and whoever it runs as
 * can read its code and needs to read nothing else.
 */

import { failureOf } from "../sys/child_failure.ts";
import { ChildProcess } from "../sys/child_process.ts";
import { closeDescriptor, sleepMs } from "../sys/libc.ts";
import { makeMemoryFile } from "../sys/memory_file.ts";
import { ownEnvironment } from "../sys/own_environment.ts";

/** How long code may take to be put together. */
const BUNDLE_MS_MAX = 10_000;

/** How long the program may take to end once it has written all. */
const END_MS_MAX = 1000;

/** More than any service's code: what is larger is refused. */
const CODE_BYTES_MAX = 16_777_216;

/** Bytes that are read at once. */
const READ_BYTES = 65_536;

/** Code that was put together, or why it was not. */
export type Code =
  | { readonly file: number }
  | { readonly missing: string };

/** The files of one driver. */
export class ProcessCode implements Disposable {
  readonly #made = new Map<string, Code>();

  /** The file that `command` puts together. It is made at the first call: this thread waits. */
  of(command: readonly string[]): Code {
    const key = command.join("\0");
    const made = this.#made.get(key) ?? makeCode(command);
    this.#made.set(key, made);
    return made;
  }

  [Symbol.dispose](): void {
    for (const code of this.#made.values()) {
      if ("file" in code) closeDescriptor(code.file);
    }
    this.#made.clear();
  }
}

function makeCode(command: readonly string[]): Code {
  try {
    // The runtime finds its cache, and what certificates are good, by variables.
    const environment = ownEnvironment();
    using child = new ChildProcess({ command, environment });
    const chunks: Uint8Array[] = [];
    const why = readAll(child, chunks) ??
      failureOf(child, command[0]!, END_MS_MAX);
    if (why !== undefined) return { missing: `bundle: ${why}` };
    const code = new Uint8Array(
      chunks.reduce((sum, { length }) => sum + length, 0),
    );
    let at = 0;
    for (const chunk of chunks) {
      code.set(chunk, at);
      at += chunk.length;
    }
    return { file: makeMemoryFile("service", code) };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}

/** Reads what the child writes, to its end. Returns what is wrong. */
function readAll(
  child: ChildProcess,
  chunks: Uint8Array[],
): string | undefined {
  const into = new Uint8Array(READ_BYTES);
  let sizeBytes = 0;
  for (let waitedMs = 0; waitedMs < BUNDLE_MS_MAX;) {
    const count = child.read(into, 0, into.length);
    if (count < 0) return undefined;
    if (count === 0) {
      sleepMs(1);
      waitedMs++;
      continue;
    }
    sizeBytes += count;
    if (sizeBytes > CODE_BYTES_MAX) {
      return `the code has more than ${CODE_BYTES_MAX} bytes`;
    }
    chunks.push(into.slice(0, count));
  }
  return `the code was not put together within ${BUNDLE_MS_MAX / 1000} s`;
}
