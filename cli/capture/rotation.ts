/** Files one after the other (`-C`, `-G`, `-W`): when the next begins, and what it is called. */

import { quote, UsageError } from "../command/options.ts";

/** When a file is full, as tcpdump has it. */
export interface Rotation {
  /** Bytes above which another file is begun before the next packet; Infinity for no limit. */
  readonly bytesMax: number;
  /** Seconds, by the packets' own times, after which one is; Infinity for no limit. */
  readonly secondsMax: number;
  /** With a limit of bytes: files that are written in turn; without: files after which the capture ends. Infinity for no limit. */
  readonly filesMax: number;
}

/** Names files, and knows how many there were. */
export class FileNames {
  readonly #path: string;
  readonly #rotation: Rotation;
  /** Files for their size since the time changed the name last. */
  #sizeIndex = 0;
  /** Files for their time, this one included. */
  #timeCount = 1;

  constructor(path: string, rotation: Rotation) {
    this.#path = path;
    this.#rotation = rotation;
  }

  /** The file's name when it is begun at `seconds` since 1970. */
  nameAt(seconds: number): string {
    const { bytesMax, filesMax, secondsMax } = this.#rotation;
    const path = secondsMax === Infinity
      ? this.#path
      : formatTime(this.#path, seconds);
    if (bytesMax === Infinity) return path;
    const digits = filesMax === Infinity || filesMax === 1
      ? 0
      : String(filesMax - 1).length;
    const index = this.#sizeIndex;
    return index === 0 && digits === 0
      ? path
      : path + String(index).padStart(digits, "0");
  }

  /** Goes on to the next file for its size. */
  nextForSize(): void {
    this.#sizeIndex++;
    if (this.#sizeIndex >= this.#rotation.filesMax) this.#sizeIndex = 0;
  }

  /** Goes on to the next file for its time. Returns false when there were enough. */
  nextForTime(): boolean {
    const { bytesMax, filesMax } = this.#rotation;
    if (bytesMax === Infinity && this.#timeCount >= filesMax) return false;
    this.#timeCount++;
    this.#sizeIndex = 0;
    return true;
  }
}

/** Letters of strftime(3) that names may have. */
const FIELDS: Readonly<Record<string, (at: Date) => string>> = {
  Y: (at) => String(at.getFullYear()),
  y: (at) => two(at.getFullYear() % 100),
  m: (at) => two(at.getMonth() + 1),
  d: (at) => two(at.getDate()),
  H: (at) => two(at.getHours()),
  M: (at) => two(at.getMinutes()),
  S: (at) => two(at.getSeconds()),
  F: (at) =>
    `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`,
  T: (at) =>
    [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":"),
  s: (at) => String(Math.floor(at.getTime() / 1000)),
  "%": () => "%",
};

function two(value: number): string {
  return String(value).padStart(2, "0");
}

function formatTime(path: string, seconds: number): string {
  const at = new Date(seconds * 1000);
  return path.replace(/%(.)/gs, (_, letter: string) => FIELDS[letter]!(at));
}

/**
 * Reads `-C`, `-G` and `-W`; undefined when none was given.
 * @throws {UsageError}
 */
export function readRotation(
  values: ReadonlyMap<string, string>,
  path: string | undefined,
): Rotation | undefined {
  const [size, seconds, files] = ["C", "G", "W"].map((each) =>
    values.get(each)
  );
  if (size === undefined && seconds === undefined && files === undefined) {
    return undefined;
  }
  if (path === undefined || path === "-") {
    throw new UsageError(
      "-C, -G and -W are about the file of -w: give -w FILE",
    );
  }
  if (size === undefined && seconds === undefined) {
    throw new UsageError("-W counts the files of -C or -G: give one of them");
  }
  if (seconds !== undefined) checkTimeName(path);
  return {
    bytesMax: size === undefined ? Infinity : readSize(size),
    secondsMax: seconds === undefined
      ? Infinity
      : readWhole("G", seconds, "seconds"),
    filesMax: files === undefined ? Infinity : readWhole("W", files, "files"),
  };
}

/** A name without the time would have each file overwrite the one before. */
function checkTimeName(path: string): void {
  const letters = [...path.matchAll(/%(.?)/gs)].map(([, letter]) => letter!);
  const unknown = letters.find((letter) => !Object.hasOwn(FIELDS, letter));
  if (unknown !== undefined) {
    throw new UsageError(
      `-w: %${unknown} is not one of %Y %y %m %d %H %M %S %F %T %s %%`,
    );
  }
  if (letters.some((letter) => letter !== "%")) return;
  throw new UsageError(
    "-G needs the time in the name of -w, such as trace-%F-%H%M%S.pcap: " +
      "each file would overwrite the one before",
  );
}

/** Bytes of `-C`'s units: millions, or powers of 1,024. */
const UNITS: Readonly<Record<string, number>> = {
  "": 1e6,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
};

function readSize(text: string): number {
  const [, digits, unit] = /^(\d{1,9})([kmg]?)$/i.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS[unit?.toLowerCase() ?? ""] ?? 0);
  if (bytes > 0) return bytes;
  throw new UsageError(
    `-C: expected millions of bytes, from 1, or with k, m or g, got ${
      quote(text)
    }`,
  );
}

function readWhole(letter: string, text: string, what: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count > 0) return count;
  throw new UsageError(
    `-${letter}: expected how many ${what}, from 1, got ${quote(text)}`,
  );
}
