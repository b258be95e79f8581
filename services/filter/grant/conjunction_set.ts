/** Conjunctions, each once, whatever grants they come from. */

import type { Conjunction, Grant } from "./grant.ts";

/** A set of conjunctions: two that say the same in the same order are one. */
export class ConjunctionSet {
  readonly #byText = new Map<string, Conjunction>();

  /** Starts with the conjunctions of `grant`. */
  constructor(grant: Grant = []) {
    this.addAll(grant);
  }

  /** The conjunctions, in the order in which they were first added. */
  get grant(): Conjunction[] {
    return [...this.#byText.values()];
  }

  /** Adds the conjunctions of `grant`. */
  addAll(grant: Grant): void {
    for (const one of grant) {
      const text = JSON.stringify(one);
      if (!this.#byText.has(text)) this.#byText.set(text, one);
    }
  }

  /** Whether each conjunction of `grant` was added. */
  hasAll(grant: Grant): boolean {
    return grant.every((one) => this.#byText.has(JSON.stringify(one)));
  }
}
