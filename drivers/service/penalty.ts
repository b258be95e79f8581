/**
 * What presenting void tags costs, and whom: their presenter is served after
 * ever longer pauses, and everybody else as before.
 */

/** The longest pause. */
export const PAUSE_MS_MAX = 16;

/** The first pause; each further one is twice as long. */
const PAUSE_MS_MIN = 1;

/** After how long without void tags a pause is half as long again. */
const FORGIVE_MS = 250;

/** The pauses of one holder. */
export class Penalty {
  /** Its port is not read before this time. */
  untilMs = -Infinity;
  #doublings = 0;
  #lastMs = -Infinity;

  /** Whether a pause is under way. */
  pauses(nowMs: number): boolean {
    return nowMs < this.untilMs;
  }

  /** Whether the holder has presented void tags of late. */
  isSuspect(nowMs: number): boolean {
    return this.#forgiven(nowMs) < this.#doublings || this.pauses(nowMs);
  }

  /** It presented void tags: how many at once makes no difference, they were all refused. */
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
