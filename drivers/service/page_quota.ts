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
  /** Pages that are held: at most the quota, but for what was carved out of it meanwhile. */
  held = 0;
  #quota: number;
  readonly #parent: PageQuota | undefined;
  readonly #entitlements: Entitlements;
  #closed = false;

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

  /** The pages that may be held: less once others are carved out of them. */
  get quota(): number {
    return this.#quota;
  }

  /**
   * Whether `pages` more may be held. What was carved out of another's quota can
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

  /** Charges `pages` to the quota. */
  hold(pages: number): void {
    this.held += pages;
    if (!this.#closed) this.#entitlements.pages -= pages;
  }

  /** Gives `pages` back to the quota. */
  release(pages: number): void {
    this.held -= pages;
    if (!this.#closed) this.#entitlements.pages += pages;
  }

  /** Sets the quota: others were carved out of it, or were revoked. */
  set(quota: number): void {
    if (this.#closed) return;
    this.#entitlements.pages += quota - this.#quota;
    this.#quota = quota;
  }

  /** Closes the quota of a revoked capability, which gets nothing more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#entitlements.pages -= this.#quota - this.held;
  }
}
