/** Files in memory alone, without a name in any folder: memfd_create(2). */

import { check, closeDescriptor, libc } from "./libc.ts";
import {
  F_ADD_SEALS,
  F_SEALS_ALL,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
} from "./process_abi.ts";
import { enterDescriptor } from "./resource_list.ts";

/**
 * A file of `bytes`, which nobody can change any more. Returns its descriptor,
 * which is the caller's to close. Whoever is given it can read it, as any user.
 * @throws {SystemError} when the kernel refuses.
 */
export function makeMemoryFile(name: string, bytes: Uint8Array): number {
  const attempt = { where: name, what: "cannot make a file in memory" };
  const calls = libc();
  const path = new TextEncoder().encode(`${name}\0`);
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const file = check(
    enterDescriptor(calls.memfd_create(path, flags)),
    attempt,
  );
  try {
    for (let at = 0; at < bytes.length;) {
      const rest = bytes.slice(at);
      at += check(calls.write(file, rest, BigInt(rest.length)), attempt);
    }
    check(calls.fcntl(file, F_ADD_SEALS, F_SEALS_ALL), attempt);
  } catch (error) {
    closeDescriptor(file);
    throw error;
  }
  return file;
}
