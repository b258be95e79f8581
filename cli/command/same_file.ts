/** Files of one command line that are to be different ones, and are not. */

import {
  describeSameFile,
  type NamedFile,
} from "../../drivers/capture/named_file.ts";
import { linksFrom } from "../../drivers/capture/same_file.ts";
import type { Terminal } from "../screen/terminal.ts";
import { UsageError } from "./options.ts";

/** What a path ends in that leads to standard input, or to standard output. */
const STANDARD: Readonly<Record<NamedFile["way"], readonly string[]>> = {
  read: ["stdin", "0"],
  written: ["stdout", "1"],
};

/** Folders of the process's open files, by number. */
const OPEN_FILES = [
  "/dev/fd",
  "/proc/self/fd",
  "/proc/thread-self/fd",
  `/proc/${Deno.pid}/fd`,
];

/**
 * `path`, or `-` for another name of standard input, or of standard output, of
 * which Deno opens nothing.
 */
export function standardName(path: string, way: NamedFile["way"]): string {
  const [name, number] = STANDARD[way];
  const names = [`/dev/${name}`, ...OPEN_FILES.map((at) => `${at}/${number}`)];
  for (const each of linksFrom(path)) {
    if (names.includes(each.replace(/\/(\.?\/)+/g, "/"))) return "-";
  }
  return path;
}

/**
 * Refuses to write a capture's bytes to a terminal.
 * @throws {UsageError}
 */
export function refuseTerminal(
  option: string,
  path: string | undefined,
  { interactive }: Pick<Terminal, "interactive">,
): void {
  if (path !== "-" || !interactive) return;
  throw new UsageError(
    `${option} -: standard output is a terminal, which a capture's bytes would spoil; send it on, as ${option} - | tcpdump -r -`,
  );
}

/**
 * Refuses a file that is written while it is read, or written twice, by whatever
 * names and links.
 * @throws {UsageError}
 */
export function refuseSameFile(files: readonly NamedFile[]): void {
  const same = describeSameFile(files);
  if (same !== undefined) throw new UsageError(same);
}
