/** Which file a path leads to, however it is spelled and by whatever links. */

/** A file that is there: its device, and its number on that. */
export interface FileIdentity {
  /** The device that the file is on. */
  readonly device: number;
  /** Number on that device; null where files have none. */
  readonly inode: number | null;
}

/** The file that `path` leads to; undefined when there is none, or it may not be looked at. */
export function identityOf(path: string): FileIdentity | undefined {
  try {
    return identityOfInfo(Deno.statSync(path));
  } catch {
    return undefined;
  }
}

/** The identity of what is open already; undefined for a device, such as a terminal or /dev/null, which takes several. */
export function identityOfInfo(info: Deno.FileInfo): FileIdentity | undefined {
  return info.isCharDevice === true
    ? undefined
    : { device: info.dev, inode: info.ino };
}

/** Whether both are one. */
export function isSameFile(
  a: FileIdentity | undefined,
  b: FileIdentity | undefined,
): boolean {
  return a !== undefined && b !== undefined && a.device === b.device &&
    a.inode !== null && a.inode === b.inode;
}

/** Whether `path` leads to a device, such as a terminal or /dev/null, which takes several. */
export function isDevice(path: string): boolean {
  try {
    return Deno.statSync(path).isCharDevice === true;
  } catch {
    return false;
  }
}

/** The most links that are followed, as in Linux (linux/namei.h, MAXSYMLINKS). */
const LINKS_MAX = 40;

/** Follows links: `path`, and as long as the last name is one, the path that it leads to; there may be no file yet. */
export function* linksFrom(path: string): Generator<string, void> {
  let at = path;
  yield at;
  for (let links = 0; links < LINKS_MAX; links++) {
    let target: string;
    try {
      target = Deno.readLinkSync(at);
    } catch {
      return; // no link, or it may not be looked at
    }
    at = target.startsWith("/")
      ? target
      : at.slice(0, at.lastIndexOf("/") + 1) + target;
    yield at;
  }
}
