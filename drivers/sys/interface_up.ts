/** Waits for an interface to be there, and up. */

import { IdleWait } from "../kit/idle_wait.ts";
import { interfaceIsUp } from "./network_interface.ts";

/** How often it is looked for: some 10 µs each. */
const LOOK_MS = 250;

/**
 * Resolves when this network namespace has an interface of that name that is up.
 * @throws {Error} when `signal` is aborted before.
 */
export async function interfaceUp(
  name: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const waits = new IdleWait();
  const wake = () => waits.wake();
  signal.addEventListener("abort", wake);
  try {
    while (!interfaceIsUp(name)) {
      if (signal.aborted) {
        throw new Error(`interface ${name}: stopped before it was back`);
      }
      await waits.wait(LOOK_MS);
    }
  } finally {
    signal.removeEventListener("abort", wake);
  }
}
