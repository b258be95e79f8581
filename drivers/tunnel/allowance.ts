/** How much work strangers may cause: a token bucket. */

/** So many a second, and `burst` of them at once. */
export class Allowance {
  readonly #perMs: number;
  readonly #most: number;
  readonly #nowMs: () => number;
  #left: number;
  #seenMs: number;

  constructor(perSecond: number, burst: number, nowMs: () => number) {
    this.#perMs = perSecond / 1000;
    this.#most = burst;
    this.#left = burst;
    this.#nowMs = nowMs;
    this.#seenMs = nowMs();
  }

  /** Takes one. @returns false when there is none left. */
  take(): boolean {
    const nowMs = this.#nowMs();
    const gained = (nowMs - this.#seenMs) * this.#perMs;
    this.#left = Math.min(this.#most, this.#left + gained);
    this.#seenMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
