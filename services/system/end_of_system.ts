/** How a system comes to its end by itself: its NIC's, or a failure. */

import type { Ending } from "./system.ts";

/** What becomes of a system. The first end is the one that counts. */
export class EndOfSystem {
  readonly #ending = Promise.withResolvers<Ending>();
  #failure: Error | undefined;

  /** Resolves when the system ended by itself. */
  get ended(): Promise<Ending> {
    return this.#ending.promise;
  }

  /** What went wrong first, if anything. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Nothing will ever arrive again; `warning` says what was wrong with that, if anything. */
  nicEnded(warning: string | undefined): void {
    this.#ending.resolve({
      reason: "nic-ended",
      ...(warning === undefined ? {} : { warning }),
    });
  }

  /** The system cannot go on. */
  fail(message: string): void {
    this.#failure ??= new Error(message);
    this.#ending.resolve({ reason: "failed", error: this.#failure });
  }

  /** Waits for `work`, but not for parts that are gone. */
  async unlessFailed(work: Promise<unknown>): Promise<void> {
    const failed = this.ended.then((ending) => {
      if (ending.reason === "failed") throw ending.error;
      return work;
    });
    await Promise.race([work, failed]);
  }
}
