/** Children on pipes, as tests start them, wait for them and look at them. */

import assert from "node:assert/strict";
import { POLLIN } from "../../../drivers/sys/abi.ts";
import type { ChildEnd } from "../../../drivers/sys/child_end.ts";
import {
  type ChildOptions,
  ChildProcess,
} from "../../../drivers/sys/child_process.ts";
import { libc, sleepMs } from "../../../drivers/sys/libc.ts";
import { findProgram } from "../../../drivers/sys/programs.ts";
import { checkProgram } from "../../needs.ts";

/** asm-generic/poll.h */
export const POLLOUT = 0x4;

/** More than anything here takes, on a machine with much else to do. */
const PATIENCE_MS = 20_000;

/** Starts a program of the machine, named as in packages.json. */
export function startChild(
  [name, ...args]: readonly [string, ...string[]],
  options: Omit<ChildOptions, "command"> = {},
): ChildProcess {
  return startCommand([pathOf(name), ...args], options);
}

/** Starts a command whose program is a path. */
export function startCommand(
  command: readonly string[],
  options: Omit<ChildOptions, "command"> = {},
): ChildProcess {
  return new ChildProcess({ command, ...options });
}

/** The path of a program that this test has said it needs. */
export function pathOf(name: string): string {
  checkProgram(name);
  if (name === Deno.execPath()) return name;
  return findProgram(name)!;
}

/** Waits until `look` gives something. @throws when that takes too long. */
export function until<T>(look: () => T | undefined, what: string): T {
  const start = performance.now();
  while (performance.now() - start < PATIENCE_MS) {
    const found = look();
    if (found !== undefined) return found;
    sleepMs(1);
  }
  throw new Error(`waited in vain: ${what}`);
}

/** Waits until a child has ended. */
export function endOf(child: ChildProcess): ChildEnd {
  return until(() => child.ended(), "a child's end");
}

/** Waits for one descriptor to be ready for `events`. */
export function ready(descriptor: number, events = POLLIN): void {
  const words = new Int32Array([descriptor, events]);
  assert.equal(libc().poll(words, 1n, PATIENCE_MS), 1, "not ready in time");
}

/** All that a child writes to its output until it closes that. */
export function outputOf(child: ChildProcess): Uint8Array {
  return readAll(child.output, (into) => child.read(into, 0, into.length));
}

/** All that a child writes to its standard error until it closes that. */
export function errorsOf(child: ChildProcess): Uint8Array {
  return readAll(child.errorOutput, (into) => child.readError(into));
}

function readAll(
  descriptor: number,
  read: (into: Uint8Array) => number,
): Uint8Array {
  const chunk = new Uint8Array(65_536);
  const chunks: number[] = [];
  while (true) {
    ready(descriptor);
    const got = read(chunk);
    if (got < 0) return new Uint8Array(chunks);
    chunks.push(...chunk.subarray(0, got));
  }
}

/** Whether the kernel has a process of that number, a dead one that was not waited for included. */
export function isListed(pid: number): boolean {
  try {
    Deno.statSync(`/proc/${pid}`);
    return true;
  } catch {
    return false;
  }
}

/** Whether a process has ended; somebody else may have to wait for it. */
export function hasEnded(pid: number): boolean {
  try {
    return /^[ZX]/.test(statusOf(pid, "State"));
  } catch {
    return true;
  }
}

/** A line of /proc/PID/status: `Uid`, `SigIgn`. */
export function statusOf(pid: number, name: string): string {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const line = status.split("\n").find((line) => line.startsWith(`${name}:`));
  return line!.slice(name.length + 1).trim();
}

/** Names of what is in a folder of /proc. */
export function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}
