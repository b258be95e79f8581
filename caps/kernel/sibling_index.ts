/**
 * The grants of what was derived from one capability, kept such that one more is
 * soon compared with all of them.
 */

/** Grants that do not overlap each other. */
export interface SiblingIndex<G> {
  /** Whether some frame matches both `grant` and one that was added. */
  overlaps(grant: G): boolean;
  /** Adds a grant that overlaps none. */
  add(grant: G): void;
  /** Removes a grant that was added: the very object. */
  remove(grant: G): void;
}

/** Compares with one after the other: what every index must come to. */
export class SiblingList<G> implements SiblingIndex<G> {
  readonly #overlaps: (a: G, b: G) => boolean;
  /** How often each was added: where nothing matches a grant, it does not overlap itself. */
  readonly #grants = new Map<G, number>();

  /** `overlaps`: whether some frame matches both. */
  constructor(overlaps: (a: G, b: G) => boolean) {
    this.#overlaps = overlaps;
  }

  overlaps(grant: G): boolean {
    for (const one of this.#grants.keys()) {
      if (this.#overlaps(one, grant)) return true;
    }
    return false;
  }

  add(grant: G): void {
    this.#grants.set(grant, (this.#grants.get(grant) ?? 0) + 1);
  }

  remove(grant: G): void {
    const count = this.#grants.get(grant) ?? 0;
    if (count > 1) this.#grants.set(grant, count - 1);
    else this.#grants.delete(grant);
  }
}
