/** How a system ends by itself: with its NIC, or by a failure. */

import { given } from "../../caps/kernel/given.ts";
import type { Ending } from "./system.ts";

/** The end of one system; the first to be told counts. */
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
      ...given({ warning }),
    });
  }

  /** The system cannot go on. */
  fail(message: string): void {
    this.#failure ??= new Error(message);
    this.#ending.resolve({ reason: "failed", error: this.#failure });
  }
}
