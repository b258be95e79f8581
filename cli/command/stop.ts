/** A request to stop: made once, seen by all who look. */

/** Whether to stop. */
export class Stop {
  readonly #asked = Promise.withResolvers<void>();
  #stopped = false;

  /** Whether it was asked for. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Resolves when it is asked for. */
  get asked(): Promise<void> {
    return this.#asked.promise;
  }

  /** Asks for it. */
  ask(): void {
    this.#stopped = true;
    this.#asked.resolve();
  }

  /** Resolves when `event` does, or before when it is to stop. */
  async orWhen(event: Promise<void> | undefined): Promise<void> {
    if (event !== undefined) await Promise.race([event, this.#asked.promise]);
  }
}
