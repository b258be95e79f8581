/** Files that are to be different ones, and are not. */

import { fstatSync } from "node:fs";
import {
  type FileIdentity,
  identityOf,
  isDevice,
  isSameFile,
  linksFrom,
} from "./same_file.ts";

/** A file, and what names it. */
export interface NamedFile {
  /** What names it, for people: `-r`, `--write`, `write`. */
  readonly name: string;
  /** A path; `-` is standard input, or standard output. */
  readonly path: string;
  /** Whether it is read or written. */
  readonly way: "read" | "written";
}

/**
 * Says which file is written while it is read, or written twice, by whatever names
 * and links; undefined when there is none.
 */
export function describeSameFile(
  files: readonly NamedFile[],
): string | undefined {
  // To look at a file takes the permission to read it, which may be asked for.
  if (files.length < 2 || !files.some(({ way }) => way === "written")) {
    return undefined;
  }
  const seen: { file: NamedFile; identity: FileIdentity | undefined }[] = [];
  for (const file of files) {
    const identity = identityOfNamed(file);
    const other = seen.find((each) =>
      (file.way === "written" || each.file.way === "written") &&
      (isSameFile(each.identity, identity) || isSamePlace(each.file, file))
    );
    if (other !== undefined) return describe(other.file, file);
    seen.push({ file, identity });
  }
  return undefined;
}

/** The file that is meant; undefined when there is none, or it takes several, as a terminal. */
export function identityOfNamed(
  { path, way }: Pick<NamedFile, "path" | "way">,
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

/** Whether both would be made in one place, where there is no file yet. */
function isSamePlace(a: NamedFile, b: NamedFile): boolean {
  if (a.path === "-" || b.path === "-") {
    return a.path === b.path && a.way === b.way;
  }
  if (isDevice(a.path)) return false;
  const [, folderA = ".", nameA] = PATH_PARTS.exec(targetOf(a.path))!;
  const [, folderB = ".", nameB] = PATH_PARTS.exec(targetOf(b.path))!;
  return nameA === nameB && (folderA === folderB ||
    isSameFile(identityOf(folderA), identityOf(folderB)));
}

function targetOf(path: string): string {
  return [...linksFrom(path)].at(-1)!;
}

const PATH_PARTS = /^(?:(.*\/))?([^/]*)$/s;

function describe(a: NamedFile, b: NamedFile): string {
  const names = a.path === b.path
    ? JSON.stringify(a.path)
    : `${JSON.stringify(a.path)} and ${JSON.stringify(b.path)}`;
  return `${a.name} and ${b.name} name the same file, ${names}`;
}
