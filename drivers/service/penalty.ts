/**
 * What presenting void tags costs, and whom: their presenter is served after
 * ever longer pauses, and everybody else as before.
 */

/** The longest pause. */
export const PAUSE_MS_MAX = 16;

/** The first pause; each further one is twice as long. */
const PAUSE_MS_MIN = 1;

/** After how long without void tags the next pause is only half as long. */
const FORGIVE_MS = 250;

/** The pauses of one holder. */
export class Penalty {
  /** The holder's port is not read before this time. */
  untilMs = -Infinity;
  #doublings = 0;
  #lastMs = -Infinity;

  /** Whether a pause is under way. */
  pauses(nowMs: number): boolean {
    return nowMs < this.untilMs;
  }

  /** True while recent void tags still count against the holder. */
  isSuspect(nowMs: number): boolean {
    return this.#forgiven(nowMs) < this.#doublings || this.pauses(nowMs);
  }

  /** Begins a pause for void tags: how many came at once makes no difference, they were all refused. */
  impose(nowMs: number): void {
    this.#doublings = Math.max(0, this.#doublings - this.#forgiven(nowMs));
    const pauseMs = Math.min(
      PAUSE_MS_MIN * 2 ** this.#doublings,
      PAUSE_MS_MAX,
    );
    if (pauseMs < PAUSE_MS_MAX) this.#doublings++;
    this.untilMs = nowMs + pauseMs;
    this.#lastMs = nowMs;
  }

  #forgiven(nowMs: number): number {
    return Math.floor((nowMs - this.#lastMs) / FORGIVE_MS);
  }
}
