/** Texts of files that the command line names. */

import { standardName } from "./same_file.ts";

/** The most that is read: more than any filter or manifest has. */
const TEXT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Reads a file as text; `-`, and what leads there, is standard input.
 * @throws {Error} when it cannot be read, or has more than 16 MiB.
 */
export function readTextFile(path: string): string {
  if (standardName(path, "read") === "-") return readText(Deno.stdin);
  using file = Deno.openSync(path, { read: true });
  return readText(file);
}

/** Whether `path` is standard input. */
export function isStandardInput(path: string | undefined): boolean {
  return path !== undefined && standardName(path, "read") === "-";
}

function readText(
  file: { readSync(bytes: Uint8Array): number | null },
): string {
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(65536);
  let text = "";
  let bytes = 0;
  for (;;) {
    const count = file.readSync(chunk);
    if (count === null) return text + decoder.decode();
    bytes += count;
    if (bytes > TEXT_BYTES_MAX) {
      throw new Error(`it has more than ${TEXT_BYTES_MAX} bytes`);
    }
    text += decoder.decode(chunk.subarray(0, count), { stream: true });
  }
}
