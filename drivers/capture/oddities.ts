/** Fields of a capture that are wrong and cost no packet: the first in words, the others counted. */

/** What was odd in a capture, and read all the same. */
export class Oddities {
  #first: string | undefined;
  #count = 0;

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /** Counts one: at byte `offset` there is `found`, which is read as `taken`. */
  add(offset: number, found: string, taken: string): void {
    this.#first ??= `at byte ${offset}: found ${found}; ${taken}`;
    this.#count++;
  }

  /** `at byte 28: found …; carried over (and 3 more)`; undefined when there was none. */
  describe(): string | undefined {
    if (this.#first === undefined) return undefined;
    const more = this.#count === 1 ? "" : ` (and ${this.#count - 1} more)`;
    return `capture: ${this.#first}${more}`;
  }
}
