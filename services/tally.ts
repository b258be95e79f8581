/** Counts by name, for cores: made once, added to without allocation. */
export class Tally {
  #counts: Record<string, number> = {};

  /** Adds one to `name`. */
  add(name: string): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + 1;
  }

  /** The counts now, as a copy; what never happened is not there. */
  read(): Readonly<Record<string, number>> {
    return { ...this.#counts };
  }
}
