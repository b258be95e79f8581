/**
 * Waits for file descriptors on another thread (a non-blocking FFI call to
 * poll(2), 15 µs), so that the event loop goes on; and an eventfd that ends it.
 *
 * ```
 * ├ fd ┼ events | returned events << 16 ┤   struct pollfd, two words each
 * ```
 */

import { EFD_CLOEXEC, EFD_NONBLOCK, POLLFD_BYTES, POLLIN } from "./abi.ts";
import { check, closeDescriptor, libc, sleepMs } from "./libc.ts";

/** The longest time that poll(2) takes, in milliseconds. */
const DELAY_MAX_MS = 0x7fffffff;

/** How long closing waits for a poll under way to end. */
const CLOSE_TRIES = 100;

/** File descriptors that are waited for together. */
export class PollSet implements Disposable {
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #count: bigint;
  readonly #wakeAt: number;
  readonly #eventfd: number;
  readonly #eventCount = new BigUint64Array([1n]);
  #pending: Promise<unknown> | undefined;

  /**
   * Waits for input on each of `descriptors`, which stay the caller's.
   * @throws {SystemError} when the kernel refuses the eventfd.
   */
  constructor(descriptors: readonly number[]) {
    this.#eventfd = check(libc().eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), {
      where: "eventfd",
      what: "cannot make one",
    });
    const all = [...descriptors, this.#eventfd];
    const bytes = new ArrayBuffer(all.length * POLLFD_BYTES);
    this.#words = new Int32Array(bytes);
    for (const [index, descriptor] of all.entries()) {
      this.#words[index * 2] = descriptor;
      this.#words[index * 2 + 1] = POLLIN;
    }
    this.#count = BigInt(all.length);
    this.#wakeAt = all.length - 1;
  }

  /**
   * Resolves when one of the descriptors is ready, when `delayMs` have passed
   * (rounded up to whole milliseconds), or at {@link wake}. One wait at a time:
   * a second one ends the first.
   */
  async wait(delayMs: number): Promise<void> {
    while (this.#pending !== undefined) {
      this.wake();
      await this.#pending;
    }
    for (let index = 0; index <= this.#wakeAt; index++) {
      this.#words[index * 2 + 1] = POLLIN;
    }
    const limit = delayMs < DELAY_MAX_MS ? Math.ceil(Math.max(0, delayMs)) : -1;
    this.#pending = libc().pollAside(this.#words, this.#count, limit);
    await this.#pending;
    this.#pending = undefined;
    if (this.returned(this.#wakeAt) !== 0) {
      libc().read(this.#eventfd, this.#eventCount, 8n);
    }
  }

  /** The events that the last wait found for the descriptor at `index`. */
  returned(index: number): number {
    return this.#words[index * 2 + 1]! >>> 16;
  }

  /** Ends a wait that is under way; without effect otherwise. */
  wake(): void {
    if (this.#pending === undefined) return;
    this.#eventCount[0] = 1n;
    libc().write(this.#eventfd, this.#eventCount, 8n);
  }

  /**
   * Ends a wait that is under way, and closes the eventfd. While a poll is under
   * way, the kernel keeps its descriptors open even when they are closed: so
   * this stays until the poll has written its answer, some microseconds.
   */
  [Symbol.dispose](): void {
    this.wake();
    for (let tries = 0; tries < CLOSE_TRIES; tries++) {
      if (this.#pending === undefined) break;
      if (Atomics.load(this.#words, this.#wakeAt * 2 + 1) >>> 16 !== 0) break;
      sleepMs(1);
    }
    closeDescriptor(this.#eventfd);
  }
}
