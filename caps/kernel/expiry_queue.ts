/**
 * Who expires next: a binary heap in which everyone knows its own place, so that
 * one that ends early leaves at once and nothing piles up.
 */

/** An entry of the queue. */
export interface Expiring {
  readonly expiresAtUs: number;
  /** Place in the heap, written by the queue. Negative for none. */
  queueIndex: number;
}

/** Entries, the one that expires next first. */
export class ExpiryQueue<T extends Expiring> {
  readonly #heap: T[] = [];

  /** Number of entries. */
  get size(): number {
    return this.#heap.length;
  }

  /** When the next one expires; Infinity when none does. */
  get nextUs(): number {
    return this.#heap[0]?.expiresAtUs ?? Infinity;
  }

  /** The entry that expires next; it stays in the queue. */
  get first(): T | undefined {
    return this.#heap[0];
  }

  /** Adds an entry that is in no queue. */
  add(one: T): void {
    if (one.queueIndex >= 0) throw new Error("expiry queue: added twice");
    this.#heap.push(one);
    this.#rise(one, this.#heap.length - 1);
  }

  /** Removes an entry; does nothing when it is in no queue. */
  remove(one: T): void {
    const index = one.queueIndex;
    if (index < 0) return;
    one.queueIndex = -1;
    const last = this.#heap.pop()!;
    if (last === one) return;
    this.#sink(last, index);
    this.#rise(last, last.queueIndex);
  }

  /** Puts `one` at `from`, or as far towards the front as it belongs. */
  #rise(one: T, from: number): void {
    let index = from;
    while (index > 0) {
      const above = this.#heap[(index - 1) >>> 1]!;
      if (above.expiresAtUs <= one.expiresAtUs) break;
      this.#put(above, index);
      index = (index - 1) >>> 1;
    }
    this.#put(one, index);
  }

  /** Puts `one` at `from`, or as far towards the back as it belongs. */
  #sink(one: T, from: number): void {
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      const right = this.#heap[child + 1];
      if (
        right !== undefined &&
        right.expiresAtUs < this.#heap[child]!.expiresAtUs
      ) child++;
      const below = this.#heap[child];
      if (below === undefined || below.expiresAtUs >= one.expiresAtUs) break;
      this.#put(below, index);
      index = child;
    }
    this.#put(one, index);
  }

  #put(one: T, index: number): void {
    this.#heap[index] = one;
    one.queueIndex = index;
  }
}
