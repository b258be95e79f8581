/** Frames in a capture file, as the tests' oracles read them. */

import { commandOf } from "../../command.ts";

/** The path of a fresh pcap file (Ethernet, microseconds) that holds `frames`. */
export function writeCapture(frames: readonly Uint8Array[]): string {
  const path = Deno.makeTempFileSync({ prefix: "frames", suffix: ".pcap" });
  const parts = [record([0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1])];
  for (const frame of frames) {
    parts.push(record([0, 0, frame.length, frame.length]), frame);
  }
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  const file = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  Deno.writeFileSync(path, file);
  return path;
}

/** The lines that `command` prints about a capture of `frames`. */
export function linesAbout(
  frames: readonly Uint8Array[],
  command: (path: string) => readonly string[],
): readonly string[] {
  const path = writeCapture(frames);
  try {
    const { stdout, stderr, success } = commandOf(command(path)).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const text = new TextDecoder().decode(stdout);
    return text.replace(/\n$/, "").split("\n");
  } finally {
    Deno.removeSync(path);
  }
}

function record(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setUint32(4 * i, word, true));
  return bytes;
}
