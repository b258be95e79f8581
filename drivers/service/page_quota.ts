/**
 * The pages that one capability may hold, and those that it holds: lent to its
 * holder or in flight for it.
 */

/** Pages that the live capabilities of one driver may still ask for, all together. */
export interface Entitlements {
  pages: number;
}

/** One capability's part. */
export class PageQuota {
  /** At most its quota, but for what was carved out of it meanwhile. */
  held = 0;
  #quota: number;
  readonly #parent: PageQuota | undefined;
  readonly #entitlements: Entitlements;
  #over = false;

  /** `quota` pages, carved out of `parent`'s where that has an account too. */
  constructor(
    quota: number,
    entitlements: Entitlements,
    parent?: PageQuota,
  ) {
    this.#quota = quota;
    this.#parent = parent;
    this.#entitlements = entitlements;
    entitlements.pages += quota;
  }

  /** The pages that it may hold: less once others are carved out of it. */
  get quota(): number {
    return this.#quota;
  }

  /**
   * Whether it may have `pages` more. What was carved out of another's quota can
   * be had only once that one holds no more than it has left.
   */
  mayHold(pages: number): boolean {
    if (this.held + pages > this.#quota) return false;
    // At most as many steps as the derivation tree is deep.
    for (let up = this.#parent; up !== undefined; up = up.#parent) {
      if (up.held > up.#quota) return false;
    }
    return true;
  }

  /** It has `pages` more. */
  hold(pages: number): void {
    this.held += pages;
    if (!this.#over) this.#entitlements.pages -= pages;
  }

  /** It has `pages` less. */
  release(pages: number): void {
    this.held -= pages;
    if (!this.#over) this.#entitlements.pages += pages;
  }

  /** Others were carved out of it, or are over. */
  set(quota: number): void {
    if (this.#over) return;
    this.#entitlements.pages += quota - this.#quota;
    this.#quota = quota;
  }

  /** The capability is over: it gets nothing more. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#entitlements.pages -= this.#quota - this.held;
  }
}
