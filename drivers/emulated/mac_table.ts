/** Which port an Ethernet address is behind: what a switch has learned, bounded and ageing. */

/** A table of addresses, as 48-bit numbers, and who is behind them. */
export class MacTable<Port> {
  /** In the order in which they were heard of last. */
  readonly #known = new Map<number, { port: Port; heardMs: number }>();
  readonly #most: number;
  readonly #ageMs: number;

  /** Of at most `most` addresses, each forgotten `ageMs` after it was heard of last. */
  constructor(most: number, ageMs: number) {
    this.#most = most;
    this.#ageMs = ageMs;
  }

  /** `address` was heard of at `port`. */
  learn(address: number, port: Port, nowMs: number): void {
    // To the end of the order; the one that was silent longest makes room.
    this.#known.delete(address);
    if (this.#known.size === this.#most) {
      const [oldest] = this.#known.keys();
      this.#known.delete(oldest!);
    }
    this.#known.set(address, { port, heardMs: nowMs });
  }

  /** Where `address` is; undefined when that is not known, or no more. */
  find(address: number, nowMs: number): Port | undefined {
    const entry = this.#known.get(address);
    if (entry === undefined) return undefined;
    if (nowMs - entry.heardMs < this.#ageMs) return entry.port;
    this.#known.delete(address);
    return undefined;
  }

  /** Nothing is behind `port` any more. */
  forget(port: Port): void {
    for (const [address, entry] of this.#known) {
      if (entry.port === port) this.#known.delete(address);
    }
  }

  /** Addresses in it. */
  get size(): number {
    return this.#known.size;
  }
}
