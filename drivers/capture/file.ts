/** The files that captures are read from and written to: nothing else opens any. */

import { type FileIdentity, identityOfInfo, isSameFile } from "./same_file.ts";
import {
  type CaptureSink,
  type CaptureWriter,
  makePcapngWriter,
  makePcapWriter,
  type WriterOptions,
} from "./writer.ts";

const CHUNK_BYTES = 64 * 1024;

/** The path that stands for standard output, as for tcpdump. */
export const STANDARD_OUTPUT = "-";

/** A capture file that is open for reading. */
export interface CaptureFile extends Disposable {
  /** Bytes of the file; a chunk is good until the next is asked for. */
  readonly chunks: Iterable<Uint8Array>;
}

/**
 * Opens a capture file for reading.
 * @throws {Error} that names the file when it cannot be opened.
 */
export function openCaptureFile(path: string): CaptureFile {
  const file = attempt(
    { path, what: "read" },
    () => Deno.openSync(path, { read: true }),
  );
  let closed = false;
  function* chunks(): Generator<Uint8Array> {
    const bytes = new Uint8Array(CHUNK_BYTES);
    while (!closed) {
      const count = attempt(
        { path, what: "read" },
        () => file.readSync(bytes),
      );
      if (count === null) return;
      yield bytes.subarray(0, count);
    }
  }
  return {
    chunks: chunks(),
    [Symbol.dispose]: () => {
      if (!closed) file.close();
      closed = true;
    },
  };
}

/**
 * Whether there is something else than a file at `path`: a FIFO, a device, whose
 * bytes may have to be waited for.
 * @throws {Error} that names the file when there is nothing.
 */
export function hasToBeWaitedFor(path: string): boolean {
  const info = attempt(
    { path, what: "read" },
    () => Deno.statSync(path),
  );
  return !info.isFile && !info.isDirectory;
}

/** Bytes that may have to be waited for. */
export interface CaptureStream extends Disposable {
  /** Resolves with how many bytes came, or null at the end. */
  read(bytes: Uint8Array): Promise<number | null>;
  /** Blocks this thread until there are bytes. */
  readSync(bytes: Uint8Array): number | null;
}

/**
 * Opens what {@link hasToBeWaitedFor}: resolves once a FIFO has a writer.
 * @throws {Error} that names the file when it cannot be opened.
 */
export async function openCaptureStream(path: string): Promise<CaptureStream> {
  const where: Attempt = { path, what: "read" };
  const file = await attemptLater(where, () => Deno.open(path, { read: true }));
  return {
    read: (bytes) => attemptLater(where, () => file.read(bytes)),
    readSync: (bytes) => attempt(where, () => file.readSync(bytes)),
    [Symbol.dispose]: () => file.close(),
  };
}

/** A capture file that is being written. */
export interface CaptureOutput extends Disposable {
  /** Writes to it. */
  readonly writer: CaptureWriter;
}

/** How a capture file is made. */
export interface OutputOptions extends WriterOptions {
  /** pcapng when the path ends in `.pcapng` or `.ntar`, classic pcap otherwise, if not given. */
  readonly format?: "pcap" | "pcapng";
  /** Files that it must not be, such as those that are read meanwhile; to compare takes the permission to read. */
  readonly apartFrom?: readonly (FileIdentity | undefined)[];
}

/** Says that whoever read what is written has gone. */
export class ReaderGoneError extends Error {
  /** Tells it from other errors. */
  override readonly name = "ReaderGoneError";
}

/**
 * Creates a capture file, in place of one that is there; `-` is standard output.
 * Its header is written at once, so that a file that cannot be written is known
 * at the start. Blocks this thread until a FIFO has a reader.
 * @throws {Error} that names the file when it cannot be created, or is one of
 * `options.apartFrom`; what was in it is in it still.
 * @throws {ReaderGoneError} from the writer, when it is a pipe that nobody reads any more.
 */
export function createCaptureFile(
  path: string,
  options: OutputOptions = {},
): CaptureOutput {
  if (path === STANDARD_OUTPUT) return writeStandardOutput(options);
  const where: Attempt = { path, what: "write" };
  const file = attempt(where, () => Deno.openSync(path, OPEN_TO_WRITE));
  return startFile(file, where, options);
}

/** Creates one as {@link createCaptureFile} does, without blocking this thread: resolves once a FIFO has a reader. */
export async function createCaptureFileAsync(
  path: string,
  options: OutputOptions = {},
): Promise<CaptureOutput> {
  if (path === STANDARD_OUTPUT) return writeStandardOutput(options);
  const where: Attempt = { path, what: "write" };
  const file = await attemptLater(
    where,
    () => Deno.open(path, OPEN_TO_WRITE),
  );
  return startFile(file, where, options);
}

/** What is in a file stays until it is known to be one that may be written. */
const OPEN_TO_WRITE: Deno.OpenOptions = { write: true, create: true };

function writeStandardOutput(options: OutputOptions): CaptureOutput {
  const where: Attempt = { path: "standard output", what: "write" };
  const output = makeOutput(Deno.stdout, () => {}, where, options);
  try {
    output.writer.flush();
  } catch (error) {
    // The first packet learns that nobody reads, as each later one does.
    if (!(error instanceof ReaderGoneError)) throw error;
  }
  return output;
}

function startFile(
  file: Deno.FsFile,
  where: Attempt,
  options: OutputOptions,
): CaptureOutput {
  try {
    attempt(where, () => prepare(file, options));
    const output = makeOutput(file, () => file.close(), where, options);
    output.writer.flush();
    return output;
  } catch (error) {
    file.close();
    throw error;
  }
}

function prepare(file: Deno.FsFile, { apartFrom = [] }: OutputOptions): void {
  if (apartFrom.length > 0) {
    const identity = identityOfInfo(file.statSync());
    if (apartFrom.some((each) => isSameFile(each, identity))) {
      throw new Error("it is read at the same time; name another file");
    }
  }
  try {
    file.truncateSync();
  } catch (error) {
    // EINVAL: a FIFO or a device, which has no length.
    if (!(error as Error).message.includes("os error 22")) throw error;
  }
}

function makeOutput(
  file: { writeSync(bytes: Uint8Array): number },
  close: () => void,
  where: Attempt,
  options: OutputOptions,
): CaptureOutput {
  const sink: CaptureSink = (bytes) =>
    attempt(where, () => {
      for (let start = 0; start < bytes.length;) {
        start += file.writeSync(bytes.subarray(start));
      }
    });
  const format = options.format ??
    (/\.(pcapng|ntar)$/i.test(where.path) ? "pcapng" : "pcap");
  const make = format === "pcapng" ? makePcapngWriter : makePcapWriter;
  const writer = make(sink, options);
  let closed = false;
  return {
    writer,
    [Symbol.dispose]: () => {
      if (closed) return;
      closed = true;
      try {
        writer.flush();
      } finally {
        close();
      }
    },
  };
}

/** What is done to which file. */
interface Attempt {
  readonly path: string;
  readonly what: "read" | "write";
}

function attempt<T>(where: Attempt, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw describe(where, error);
  }
}

async function attemptLater<T>(
  where: Attempt,
  step: () => Promise<T>,
): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw describe(where, error);
  }
}

function describe({ path, what }: Attempt, error: unknown): Error {
  const message = `capture: cannot ${what} ${path}: ${reasonOf(error, what)}`;
  return error instanceof Deno.errors.BrokenPipe
    ? new ReaderGoneError(message, { cause: error })
    : new Error(message, { cause: error });
}

function reasonOf(error: unknown, what: "read" | "write"): string {
  if (error instanceof Deno.errors.NotFound) {
    return `there is no such ${what === "read" ? "file" : "folder"}`;
  }
  if (error instanceof Deno.errors.IsADirectory) {
    return "it is a folder; name a file in it";
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `this user may not ${what} it`;
  }
  if (error instanceof Deno.errors.BrokenPipe) return "its reader has gone";
  if (error instanceof Deno.errors.NotCapable) {
    const standard = what === "read" ? "input" : "output";
    return `Deno's permissions of this process do not allow it (of /dev and /proc it opens little; - is standard ${standard})`;
  }
  return (error as Error).message;
}
