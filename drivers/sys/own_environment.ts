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
    const bytes = readAll(file);
    return new TextDecoder().decode(bytes).split("\0")
      .filter((one) => one.includes("="));
  } finally {
    closeDescriptor(file);
  }
}

function readAll(file: number): Uint8Array {
  const whole = new Uint8Array(ENVIRONMENT_BYTES_MAX);
  const part = new Uint8Array(READ_BYTES);
  let at = 0;
  while (at + part.length <= whole.length) {
    const count = libc().read(file, part, BigInt(part.length));
    if (count <= 0) break;
    whole.set(part.subarray(0, count), at);
    at += count;
  }
  return whole.subarray(0, at);
}
