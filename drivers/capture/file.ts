/** The files that captures are read from and written to: nothing else opens any. */

import {
  type CaptureSink,
  type CaptureWriter,
  makePcapngWriter,
  makePcapWriter,
  type WriterOptions,
} from "./writer.ts";

const CHUNK_BYTES = 64 * 1024;

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
  const file = open(path, "read", { read: true });
  let closed = false;
  function* chunks(): Generator<Uint8Array> {
    const bytes = new Uint8Array(CHUNK_BYTES);
    while (!closed) {
      const count = readFrom(file, bytes, path);
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

/** A capture file that is being written. */
export interface CaptureOutput extends Disposable {
  /** Writes to it. */
  readonly writer: CaptureWriter;
}

/**
 * Creates a capture file, in place of one that is there: pcapng when `path`
 * ends in `.pcapng` or `.ntar`, classic pcap otherwise. Its header is written
 * at once, so that a file that cannot be written is known at the start.
 * @throws {Error} that names the file when it cannot be created.
 */
export function createCaptureFile(
  path: string,
  options: WriterOptions = {},
): CaptureOutput {
  const file = open(path, "write", {
    write: true,
    create: true,
    truncate: true,
  });
  const sink: CaptureSink = (bytes) => {
    for (let start = 0; start < bytes.length;) {
      start += file.writeSync(bytes.subarray(start));
    }
  };
  const writer = /\.(pcapng|ntar)$/i.test(path)
    ? makePcapngWriter(sink, options)
    : makePcapWriter(sink, options);
  let closed = false;
  try {
    writer.flush();
  } catch (error) {
    file.close();
    throw new Error(
      `capture: cannot write ${path}: ${(error as Error).message}`,
      { cause: error },
    );
  }
  return {
    writer,
    [Symbol.dispose]: () => {
      if (closed) return;
      closed = true;
      try {
        writer.flush();
      } finally {
        file.close();
      }
    },
  };
}

function readFrom(
  file: Deno.FsFile,
  bytes: Uint8Array<ArrayBuffer>,
  path: string,
): number | null {
  try {
    return file.readSync(bytes);
  } catch (error) {
    throw new Error(
      `capture: cannot read ${path}: ${reasonOf(error, "read")}`,
      {
        cause: error,
      },
    );
  }
}

function open(
  path: string,
  what: "read" | "write",
  options: Deno.OpenOptions,
): Deno.FsFile {
  try {
    return Deno.openSync(path, options);
  } catch (error) {
    throw new Error(
      `capture: cannot ${what} ${path}: ${reasonOf(error, what)}`,
      {
        cause: error,
      },
    );
  }
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
  if (error instanceof Deno.errors.NotCapable) {
    return "Deno's permissions of this process do not allow it";
  }
  return (error as Error).message;
}
