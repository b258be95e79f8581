/** Programs of the machine. */

import { libc } from "./libc.ts";
import { X_OK } from "./process_abi.ts";

/** Where a distribution has its programs. PATH is somebody else's to say. */
const FOLDERS = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/** The path of a program that this process may execute; undefined where there is none. */
export function findProgram(name: string): string | undefined {
  return FOLDERS.map((folder) => `${folder}/${name}`).find((path) =>
    libc().access(new TextEncoder().encode(`${path}\0`), X_OK) === 0
  );
}
