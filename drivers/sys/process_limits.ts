/**
 * Limits a child's memory: RLIMIT_DATA, all that is its own and can be written.
 * (RLIMIT_AS is none for V8, which reserves terabytes that it does not use.)
 *
 * util-linux's `prlimit` sets it before the program begins, and lowering a limit
 * of one's own takes no right. prlimit(2) on a running child takes the same user
 * as the child's, or CAP_SYS_RESOURCE, and comes when it has begun; so it is
 * only for machines without util-linux, where the child has no other user either.
 * What was taken before counts, so that nothing is won by being quick.
 */

import { check, libc } from "./libc.ts";
import { RLIMIT_DATA } from "./process_abi.ts";
import { findProgram } from "./programs.ts";

/** A command that runs with at most so much data; undefined where only {@link limitData} can do it. */
export function limitedCommand(
  command: readonly string[],
  dataBytesMax: number,
): string[] | undefined {
  const prlimit = findProgram("prlimit");
  return prlimit === undefined
    ? undefined
    : [prlimit, `--data=${dataBytesMax}:${dataBytesMax}`, "--", ...command];
}

/**
 * Limits the data of a process that runs.
 * @throws {SystemError} when the kernel refuses.
 */
export function limitData(pid: number, dataBytesMax: number): void {
  // `struct rlimit`: what holds, and what it may be raised to.
  const limit = new BigUint64Array(2).fill(BigInt(dataBytesMax));
  check(libc().prlimit(pid, RLIMIT_DATA, limit, null), {
    where: `process ${pid}`,
    what: "cannot limit its memory",
    advice: "run it as this user, or with CAP_SYS_RESOURCE",
  });
}
