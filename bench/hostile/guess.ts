/** Tags that somebody guesses: drawn from the same numbers each time. */

import { Random } from "../../services/runtime/random.ts";
import type { Capability } from "../../caps/kernel/capability.ts";

/** How many tags are guessed. */
export const GUESSES = 1_000_000;

const random = new Random(0x6e55);

/** A guess: near zero and small at first, as one would try, then any 64 bits. */
export function guessOf(index: number): Capability {
  if (index < 1000) return BigInt(index + 1) as Capability;
  const high = BigInt(random.next()) << 32n;
  return (high | BigInt(random.next())) as Capability;
}
