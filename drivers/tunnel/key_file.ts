/** The file with a link's key: nothing else reads it. */

import type { Bytes } from "./datagram.ts";
import { SECRET_BYTES_MIN } from "./secret.ts";

/** More than anybody's key, and little to hash. */
const KEY_BYTES_MAX = 4096;

/** Anybody but the file's owner and its group: `S_IRWXO`, sys/stat.h. */
const MODE_OTHERS = 0o007;

/**
 * Reads a key: all bytes of the file, whatever they are.
 * @throws {Error} when there is none, others may read or write it, or it is too
 * short: what happened and what to do.
 */
export function readKeyFile(path: string): Bytes {
  const wrong = (problem: string, cause?: unknown) =>
    new Error(`udp: the key file ${path}: ${problem}`, { cause });
  let bytes: Bytes;
  try {
    // Before it is opened: a pipe would wait for somebody to write.
    const { isFile, size, mode } = Deno.statSync(path);
    if (!isFile) throw wrong("it is not a file");
    if (mode !== null && (mode & MODE_OTHERS) !== 0) {
      throw wrong(`others may read or change it; \`chmod o= ${path}\``);
    }
    if (size > KEY_BYTES_MAX) {
      throw wrong(`it has ${size} bytes; a key has at most ${KEY_BYTES_MAX}`);
    }
    bytes = Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("udp: ")) {
      throw error;
    }
    throw wrong(reasonOf(error), error);
  }
  if (bytes.length < SECRET_BYTES_MIN) {
    throw wrong(
      `it has ${bytes.length} bytes; a key has at least ${SECRET_BYTES_MIN}: \`head -c 32 /dev/urandom > ${path}\`, and the same bytes at the other end`,
    );
  }
  return bytes;
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) {
    return "there is none; `(umask 077; head -c 32 /dev/urandom > FILE)` makes one, which both ends need";
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return "this user may not read it";
  }
  if (error instanceof Deno.errors.NotCapable) {
    return "Deno's permissions of this process do not allow to read it";
  }
  return (error as Error).message;
}
