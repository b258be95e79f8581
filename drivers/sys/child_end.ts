/**
 * Ends children and waits for their end. What is not waited for stays in the
 * kernel's list of processes, dead, for as long as this process runs.
 */

import { libc, sleepMs } from "./libc.ts";
import {
  CLD_EXITED,
  P_PID,
  Siginfo,
  SIGINFO_BYTES,
  SIGKILL,
  WEXITED,
  WNOHANG,
  WNOWAIT,
} from "./process_abi.ts";
import { leaveChild } from "./resource_list.ts";

/**
 * How a process has ended: by itself with an exit status, or by a signal. The
 * status is -1 where this process ignores SIGCHLD: the kernel keeps none then.
 */
export type ChildEnd = { readonly code: number } | { readonly signal: number };

/** How long the end of a killed child is waited for. Memory of a gigabyte takes the kernel longer. */
const KILLED_WAIT_MS = 100;

/** Children that were killed, and had not ended when they were waited for. */
const left = new Set<number>();

/**
 * Takes a child that has ended out of the kernel's list, and what it may have
 * started with it. Undefined while it runs.
 */
export function takeEnd(pid: number): ChildEnd | undefined {
  const info = new Int32Array(SIGINFO_BYTES / 4);
  // Its number stays its own until it is taken: nobody else is killed by it.
  const looked = libc().waitid(P_PID, pid, info, WEXITED | WNOHANG | WNOWAIT);
  if (looked < 0) {
    leaveChild(pid);
    return { code: -1 };
  }
  if (info[Siginfo.pid] === 0) return undefined;
  libc().kill(-pid, SIGKILL);
  // In this order: what is listed is killed when this thread dies.
  leaveChild(pid);
  libc().waitid(P_PID, pid, info, WEXITED | WNOHANG);
  const status = info[Siginfo.status]!;
  return info[Siginfo.code] === CLD_EXITED
    ? { code: status }
    : { signal: status };
}

/** Kills a child whose end was not taken, with all of its process group. */
export function killGroup(pid: number): void {
  libc().kill(-pid, SIGKILL);
  // Should it have left its group.
  libc().kill(pid, SIGKILL);
}

/**
 * Kills a child, with all of its process group, and waits a moment for its end.
 * One that takes longer is looked for again when a child is started or killed.
 */
export function killChild(pid: number): void {
  left.add(pid);
  killGroup(pid);
  for (let waitedMs = 0;; waitedMs++) {
    takeLeft();
    if (!left.has(pid) || waitedMs === KILLED_WAIT_MS) return;
    sleepMs(1);
  }
}

/** Takes those out of the kernel's list that were killed, and have ended by now. */
export function takeLeft(): void {
  for (const pid of left) {
    if (takeEnd(pid) !== undefined) left.delete(pid);
  }
}
