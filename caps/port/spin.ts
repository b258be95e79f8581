/**
 * How long to look again and again before sleeping. Waking a thread takes some
 * 45 µs, and whoever wakes it half of that: where work comes more often, it is
 * cheaper for both not to sleep. Where it comes seldom, nothing is spun. Only
 * worth it where threads have processors to themselves (`deno task bench latency`):
 * on one that somebody else waits for, it is that one's time that is spun away.
 *
 * As the host polls for a halted guest in KVM (Documentation/virt/kvm/halt-polling.rst):
 * the time doubles when work came soon after going to sleep, and is halved down to
 * nothing when it did not come within {@link SPIN_MS_MAX}.
 */

/** The longest that is spun. */
const SPIN_MS_MAX = 1;

/** The first spin, in milliseconds. */
const SPIN_MS_MIN = 0.02;

/** One thread's. */
export class Spin {
  #budgetMs = 0;
  #idleSinceMs: number | undefined;

  /** Called where nothing is to do: whether to look again, and not to sleep. */
  again(nowMs: number): boolean {
    this.#idleSinceMs ??= nowMs;
    return nowMs - this.#idleSinceMs < this.#budgetMs;
  }

  /** Called where something was to do. */
  found(nowMs: number): void {
    if (this.#idleSinceMs === undefined) return;
    const idleMs = nowMs - this.#idleSinceMs;
    this.#idleSinceMs = undefined;
    if (idleMs <= this.#budgetMs) return;
    if (idleMs <= SPIN_MS_MAX) {
      const longer = Math.max(SPIN_MS_MIN, 2 * this.#budgetMs);
      this.#budgetMs = Math.min(SPIN_MS_MAX, longer);
    } else {
      const shorter = this.#budgetMs / 2;
      this.#budgetMs = shorter < SPIN_MS_MIN ? 0 : shorter;
    }
  }
}
