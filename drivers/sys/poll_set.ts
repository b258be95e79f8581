/**
 * Waits for file descriptors on another thread (a non-blocking FFI call to
 * ppoll(2), 15 µs and more), so that the event loop goes on; and an eventfd that
 * ends it.
 *
 * ```
 * ├ fd ┼ events | returned events << 16 ┤   struct pollfd, two words each;
 *                                           the eventfd is the first
 * ```
 */

import { EFD_CLOEXEC, EFD_NONBLOCK, POLLFD_BYTES, POLLIN } from "./abi.ts";
import { enterDescriptor, lastingWords } from "./resource_list.ts";
import { check, closeDescriptor, libc, sleepMs } from "./libc.ts";

/** The longest time that is waited for at once, in seconds. */
const DELAY_MAX_S = 0x7fffffff;

/** How often closing looks for a poll under way to end, a millisecond apart. */
const CLOSE_TRIES = 100;

/** Only the eventfd, which is the first. */
const WAKE_ONLY = 1n;

/** File descriptors that are waited for together. */
export class PollSet implements Disposable {
  #words: Int32Array<SharedArrayBuffer>;
  #count: bigint;
  readonly #own: readonly number[];
  /** What is to be waited for from the next wait on. */
  #watched: readonly number[] | undefined;
  /** `struct timespec`: seconds and nanoseconds, 64 bits each. */
  readonly #limit = new Int32Array(new ArrayBuffer(16));
  readonly #eventfd: number;
  readonly #eventCount = new BigUint64Array([1n]);
  #pending: Promise<unknown> | undefined;
  /** Whether the eventfd was raised for the wait that is under way. */
  #woken = false;
  /** How often {@link wake} was called. */
  #wakes = 0;
  #closed = false;

  /**
   * Waits for input on each of `descriptors`, which stay the caller's.
   * @throws {SystemError} when the kernel refuses the eventfd.
   */
  constructor(descriptors: readonly number[]) {
    this.#eventfd = check(
      enterDescriptor(libc().eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), true),
      { where: "eventfd", what: "cannot make one" },
    );
    this.#own = [this.#eventfd, ...descriptors];
    this.#words = wordsOf(this.#own);
    this.#count = BigInt(this.#own.length);
  }

  /** Waits for these too from the next wait on, in place of those that were given here before. */
  watch(descriptors: readonly number[]): void {
    this.#watched = [...this.#own, ...descriptors];
    // A wait that is under way goes on with those that it began with.
    this.wake();
  }

  /** Waits on this thread until one of the descriptors is ready, or `delayMs` have passed. */
  waitHere(delayMs: number): void {
    this.#waitHere(true, delayMs);
  }

  /** Waits on this thread until `delayMs` have passed. */
  pauseHere(delayMs: number): void {
    this.#waitHere(false, delayMs);
  }

  #waitHere(all: boolean, delayMs: number): void {
    if (this.#pending !== undefined) return;
    this.#ask();
    this.#setLimit(delayMs);
    const count = all ? this.#count : WAKE_ONLY;
    libc().ppoll(this.#words, count, this.#limit, null);
  }

  #ask(): void {
    if (this.#watched !== undefined) {
      this.#words = wordsOf(this.#watched);
      this.#count = BigInt(this.#watched.length);
      this.#watched = undefined;
    }
    for (let at = 1; at < this.#words.length; at += 2) {
      this.#words[at] = POLLIN;
    }
  }

  #setLimit(delayMs: number): void {
    const seconds = Math.floor(Math.max(0, delayMs) / 1000);
    this.#limit[0] = Math.min(seconds, DELAY_MAX_S);
    this.#limit[2] = seconds < DELAY_MAX_S
      ? Math.round((Math.max(0, delayMs) - seconds * 1000) * 1e6)
      : 0;
  }

  /**
   * Resolves when one of the descriptors is ready, when `delayMs` have passed,
   * or at {@link wake}. One wait at a time: a second one ends the first.
   */
  wait(delayMs: number): Promise<void> {
    return this.#poll(true, delayMs);
  }

  /** Resolves when `delayMs` have passed, or at {@link wake}: the descriptors are not looked at. */
  pause(delayMs: number): Promise<void> {
    return this.#poll(false, delayMs);
  }

  /** The events that the last wait found for the descriptor at `index`. */
  returned(index: number): number {
    return this.#words[(index + 1) * 2 + 1]! >>> 16;
  }

  /** Ends every wait that is under way; without effect otherwise. */
  wake(): void {
    this.#wakes++;
    this.#interrupt();
  }

  #interrupt(): void {
    if (this.#pending === undefined || this.#woken) return;
    this.#woken = true;
    this.#eventCount[0] = 1n;
    libc().write(this.#eventfd, this.#eventCount, 8n);
  }

  /**
   * Ends a wait that is under way, and closes the eventfd. While a poll is under
   * way, the kernel keeps its descriptors open even when they are closed: so
   * this stays until the poll has written its answer, some microseconds.
   */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.wake();
    for (let tries = 0; tries < CLOSE_TRIES; tries++) {
      if (this.#pending === undefined) break;
      if (Atomics.load(this.#words, 1) >>> 16 !== 0) break;
      sleepMs(1);
    }
    this.#closed = true;
    closeDescriptor(this.#eventfd);
  }

  async #poll(all: boolean, delayMs: number): Promise<void> {
    const wakes = this.#wakes;
    while (this.#pending !== undefined) {
      this.#interrupt();
      await this.#pending;
      // It was woken while it waited for its turn, or there is none any more.
      if (this.#wakes !== wakes) return;
    }
    this.#ask();
    this.#setLimit(delayMs);
    const count = all ? this.#count : WAKE_ONLY;
    this.#pending = libc().ppollAside(this.#words, count, this.#limit, null);
    await this.#pending;
    this.#pending = undefined;
    if (this.#woken) {
      this.#woken = false;
      // Once it is closed, its number may be somebody else's.
      if (!this.#closed) libc().read(this.#eventfd, this.#eventCount, 8n);
    }
  }
}

/** Memory for a poll: should this thread die, its poll goes on, and writes there. */
function wordsOf(
  descriptors: readonly number[],
): Int32Array<SharedArrayBuffer> {
  const words = lastingWords(descriptors.length * POLLFD_BYTES / 4);
  for (const [index, descriptor] of descriptors.entries()) {
    words[index * 2] = descriptor;
  }
  return words;
}
