/** The variables that this process was started with. */

import { O_CLOEXEC } from "./abi.ts";
import { closeDescriptor, libc } from "./libc.ts";

/** Larger than any: Linux gives arguments and variables 2 MiB together by default. */
const ENVIRONMENT_BYTES_MAX = 4_194_304;

/** Bytes that are read at once. */
const READ_BYTES = 65_536;

/**
 * `NAME=value` each, as the kernel keeps them in /proc/self/environ (proc(5)):
 * for a program of the runtime's own, which looks for its cache and certificates
 * there. Empty where that cannot be read.
 */
export function ownEnvironment(): string[] {
  const path = new TextEncoder().encode("/proc/self/environ\0");
  const file = libc().open(path, O_CLOEXEC);
  if (file < 0) return [];
  try {
    return readAll(file).split("\0").filter((one) => one.includes("="));
  } finally {
    closeDescriptor(file);
  }
}

function readAll(file: number): string {
  const part = new Uint8Array(READ_BYTES);
  const words = new TextDecoder();
  let text = "";
  while (text.length < ENVIRONMENT_BYTES_MAX) {
    const count = libc().read(file, part, BigInt(part.length));
    if (count <= 0) break;
    text += words.decode(part.subarray(0, count), { stream: true });
  }
  return text + words.decode();
}
