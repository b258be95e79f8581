/** Where the bytes of a capture come from: a file, or standard input. */

import {
  hasToBeWaitedFor,
  openCaptureFile,
  openCaptureStream,
} from "../../drivers/capture/file.ts";
import type { Stop } from "../command/stop.ts";

/** A capture's bytes. */
export interface CaptureInput extends Disposable {
  /** Bytes of the file; a chunk is good until the next is asked for. */
  readonly chunks: Iterable<Uint8Array>;
  /**
   * Resolves when there is a chunk, or the end: asking for one blocks this
   * thread until then, signals included. Regular files, which never wait, have
   * none.
   */
  readonly ready?: () => Promise<void>;
}

/**
 * Opens a capture file; what is no regular file, such as a FIFO, is waited for.
 * Undefined when it is to stop before there was a writer.
 * @throws {Error} that names the file when it cannot be opened.
 */
export async function openFileInput(
  path: string,
  stop: Stop,
): Promise<CaptureInput | undefined> {
  if (!hasToBeWaitedFor(path)) return openCaptureFile(path);
  const opening = openCaptureStream(path);
  await stop.orWhen(opening.then(() => {}));
  if (stop.stopped) return undefined;
  const stream = await opening;
  const input = openStandardInput(stream);
  return { ...input, [Symbol.dispose]: () => stream[Symbol.dispose]() };
}

const CHUNK_BYTES = 64 * 1024;

/** What standard input takes to be read. */
export interface BlockingInput {
  read(bytes: Uint8Array): Promise<number | null>;
  readSync(bytes: Uint8Array): number | null;
}

/** Reads a capture from `input`, waiting where that was asked for. */
export function openStandardInput(input: BlockingInput): CaptureInput {
  // Two: one may not be used up when the next is read ahead.
  const buffers = [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)];
  let turn = 0;
  let ahead: Uint8Array | null | undefined;
  const chunkOf = (bytes: Uint8Array, count: number | null) =>
    count === null ? null : bytes.subarray(0, count);
  const nextBuffer = () => buffers[turn++ % 2]!;
  function* chunks(): Generator<Uint8Array> {
    for (;;) {
      if (ahead === undefined) {
        const bytes = nextBuffer();
        ahead = chunkOf(bytes, input.readSync(bytes));
      }
      if (ahead === null) return;
      const chunk = ahead;
      ahead = undefined;
      yield chunk;
    }
  }
  return {
    chunks: chunks(),
    ready: async () => {
      if (ahead !== undefined) return;
      const bytes = nextBuffer();
      ahead = chunkOf(bytes, await input.read(bytes));
    },
    [Symbol.dispose]: () => {},
  };
}
