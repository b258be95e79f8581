import { TextLineStream } from "@std/streams/text-line-stream";

/** What a program prints, line by line, as it comes. */
export function linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncIterableIterator<string, undefined> {
  return stream.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).values();
}
