/**
 * What a thread has of the kernel: open descriptors, mappings and child
 * processes, listed in memory that another thread can read. A worker that dies by
 * an error leaves them all in its process, the program on the interface with
 * them; whoever has the list can close and end them.
 *
 * ```
 * ├ kind or size │ descriptor, process or address ┤   two 64-bit floats each; 0 and 0 is free
 * ```
 */

/** A file descriptor. */
const DESCRIPTOR = -1;

/** The eventfd of a poll that may be under way on another thread. */
const WAKER = -2;

/** A child process. */
const CHILD = -3;

/** The most that one thread lists: rings and programs of 64 queues are a third of it. */
const ENTRIES_MAX = 2048;

/** Words beside the list: what a poll of 64 queues writes its answer to, and more. */
const LASTING_WORDS = 1024;

/** One thing in the list. */
export type Resource =
  | { readonly kind: "descriptor" | "waker"; readonly descriptor: number }
  | { readonly kind: "child"; readonly pid: number }
  | {
    readonly kind: "mapping";
    readonly address: bigint;
    readonly sizeBytes: bigint;
  };

let listed: Float64Array<SharedArrayBuffer> | undefined;

/** Memory for a list. */
export function makeResourceList(): SharedArrayBuffer {
  return new SharedArrayBuffer(ENTRIES_MAX * 16 + LASTING_WORDS * 4);
}

/** From now on this thread lists in `memory` what it opens and closes. */
export function listResourcesIn(memory: SharedArrayBuffer): void {
  listed = new Float64Array(memory, 0, ENTRIES_MAX * 2);
}

/** Zeroes in memory that outlives this thread, where it keeps a list; one such at a time. */
export function lastingWords(count: number): Int32Array<SharedArrayBuffer> {
  if (listed === undefined || count > LASTING_WORDS) {
    return new Int32Array(new SharedArrayBuffer(count * 4));
  }
  return new Int32Array(listed.buffer, ENTRIES_MAX * 16, count).fill(0);
}

/** A descriptor was opened; -1 and other errors are passed over. Returns it. */
export function enterDescriptor(descriptor: number, waker = false): number {
  if (descriptor >= 0) enter(waker ? WAKER : DESCRIPTOR, descriptor + 1);
  return descriptor;
}

/** A descriptor is being closed. */
export function leaveDescriptor(descriptor: number): void {
  leave(descriptor + 1, (kind) => kind === DESCRIPTOR || kind === WAKER);
}

/** A child process was started. */
export function enterChild(pid: number): void {
  enter(CHILD, pid);
}

/** A child process has ended, and is about to be taken out of the kernel's list. */
export function leaveChild(pid: number): void {
  leave(pid, (kind) => kind === CHILD);
}

/** A mapping was made. */
export function enterMapping(address: bigint, sizeBytes: bigint): void {
  enter(Number(sizeBytes), Number(address));
}

/** A mapping is being removed. */
export function leaveMapping(address: bigint): void {
  leave(Number(address), (kind) => kind > 0);
}

/** Empties the list of a thread that was terminated. */
export function takeResources(memory: SharedArrayBuffer): Resource[] {
  const list = new Float64Array(memory, 0, ENTRIES_MAX * 2);
  const holdings: Resource[] = [];
  for (let i = 0; i < list.length; i += 2) {
    const kind = list[i]!;
    const value = list[i + 1]!;
    if (kind > 0) {
      const [address, sizeBytes] = [BigInt(value), BigInt(kind)];
      holdings.push({ kind: "mapping", address, sizeBytes });
    } else if (kind === CHILD) {
      holdings.push({ kind: "child", pid: value });
    } else if (kind < 0) {
      const descriptor = value - 1;
      const what = kind === WAKER ? "waker" : "descriptor";
      holdings.push({ kind: what, descriptor });
    }
  }
  list.fill(0);
  return holdings;
}

function enter(kind: number, value: number): void {
  if (listed === undefined) return;
  for (let i = 0; i < listed.length; i += 2) {
    if (listed[i] !== 0) continue;
    listed[i + 1] = value;
    listed[i] = kind;
    return;
  }
  throw new Error(
    `more than ${ENTRIES_MAX} descriptors, mappings and children are open`,
  );
}

function leave(value: number, fits: (kind: number) => boolean): void {
  if (listed === undefined) return;
  for (let i = 0; i < listed.length; i += 2) {
    if (listed[i + 1] !== value || !fits(listed[i]!)) continue;
    listed[i] = 0;
    listed[i + 1] = 0;
    return;
  }
}
