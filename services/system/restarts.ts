/** When something that failed is started again, and how often. */

/** The first delay; each one after is twice as long. */
const DELAY_MS_MIN = 100;

/** The longest delay. */
const DELAY_MS_MAX = 10_000;

/** How long something must have run for the next delay to be the shortest again; also the time over which restarts are counted. */
export const WINDOW_MS = 60_000;

/** The restarts of one thing. Times are of one monotonic clock. */
export class Restarts {
  readonly #max: number;
  #recent: number[] = [];
  #delayMs = DELAY_MS_MIN;
  #runningSinceMs = Infinity;
  #count = 0;

  /** At most `max` within a minute; Infinity for no end. */
  constructor(max: number) {
    this.#max = max;
  }

  /** How often it was started again. */
  get count(): number {
    return this.#count;
  }

  /** Records that it runs from now on. */
  ran(nowMs: number): void {
    this.#runningSinceMs = nowMs;
  }

  /** Records a failure. Returns how long to wait before it is started again; undefined for never. */
  failed(nowMs: number): number | undefined {
    if (nowMs - this.#runningSinceMs >= WINDOW_MS) this.#delayMs = DELAY_MS_MIN;
    this.#runningSinceMs = Infinity;
    this.#recent = this.#recent.filter((at) => nowMs - at < WINDOW_MS);
    if (this.#recent.length >= this.#max) return undefined;
    this.#recent.push(nowMs);
    this.#count++;
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(2 * delayMs, DELAY_MS_MAX);
    return delayMs;
  }
}
