/** Files of one command line that are to be different ones, and are not. */

import { fstatSync } from "node:fs";
import {
  type FileIdentity,
  identityOf,
  isSameFile,
} from "../../drivers/capture/same_file.ts";
import type { Terminal } from "../screen/terminal.ts";
import { quote, UsageError } from "./options.ts";

/** A file of the command line. */
export interface NamedFile {
  /** What names it: `-r`, `--write`. */
  readonly option: string;
  /** A path; `-` is standard input, or standard output. */
  readonly path: string;
  readonly way: "read" | "written";
}

/** Names of standard input and of standard output, for those that Deno opens nothing of. */
const STANDARD_NAMES: Readonly<Record<NamedFile["way"], readonly string[]>> = {
  read: ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"],
  written: ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"],
};

/** `path`, or `-` for another name of standard input, or of standard output. */
export function standardName(path: string, way: NamedFile["way"]): string {
  return STANDARD_NAMES[way].includes(path) ? "-" : path;
}

/** The file that is meant. */
export function identityOfNamed(
  { path, way }: NamedFile,
): FileIdentity | undefined {
  if (path !== "-") return identityOf(path);
  try {
    const info = fstatSync(way === "read" ? 0 : 1);
    // A terminal or a socket is both without harm.
    return info.isFile() || info.isFIFO()
      ? { device: info.dev, inode: info.ino }
      : undefined;
  } catch {
    return undefined; // closed, or not to be looked at
  }
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
  const seen: { file: NamedFile; identity: FileIdentity | undefined }[] = [];
  for (const file of files) {
    const identity = identityOfNamed(file);
    const other = seen.find((each) =>
      (file.way === "written" || each.file.way === "written") &&
      (isSameFile(each.identity, identity) || isSamePlace(each.file, file))
    );
    if (other !== undefined) throw sameFile(other.file, file);
    seen.push({ file, identity });
  }
}

/** Whether both would be made in one place, where there is no file yet. */
function isSamePlace(a: NamedFile, b: NamedFile): boolean {
  if (a.path === "-" || b.path === "-") {
    return a.path === b.path && a.way === b.way;
  }
  const [, folderA = ".", nameA] = PATH_PARTS.exec(a.path)!;
  const [, folderB = ".", nameB] = PATH_PARTS.exec(b.path)!;
  return nameA === nameB && (folderA === folderB ||
    isSameFile(identityOf(folderA), identityOf(folderB)));
}

const PATH_PARTS = /^(?:(.*\/))?([^/]*)$/s;

function sameFile(a: NamedFile, b: NamedFile): UsageError {
  const names = a.path === b.path
    ? quote(a.path)
    : `${quote(a.path)} and ${quote(b.path)}`;
  return new UsageError(
    `${a.option} and ${b.option} name the same file, ${names}`,
  );
}
