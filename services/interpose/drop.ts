/** Loses frames at random, the same ones for the same seed. */

import { Tally } from "../../caps/driver/accounts.ts";
import { Random, seedOf } from "../runtime/random.ts";
import type { Interposer, InterposerVerdict } from "./interposer.ts";

/** How many frames are lost, and which. */
export interface DropOptions {
  /** Of each frame: from 0 (none) to 1 (all). */
  readonly probability: number;
  /** Seed of the choices; by default 1. */
  readonly seed?: number | undefined;
}

class Dropper implements Interposer {
  readonly name = "drop";
  readonly tally = new Tally();
  readonly #probability: number;
  // A generator for each way: what is sent does not change which are delivered.
  readonly #deliveries: Random;
  readonly #submissions: Random;

  constructor({ probability, seed = 1 }: DropOptions) {
    if (!(probability >= 0 && probability <= 1)) {
      throw new RangeError(
        `drop: the probability is ${probability}; it must be from 0 to 1`,
      );
    }
    this.#probability = probability;
    this.#deliveries = new Random(seedOf(seed, 0));
    this.#submissions = new Random(seedOf(seed, 1));
  }

  deliver(): InterposerVerdict {
    if (!this.#deliveries.chance(this.#probability)) return "pass";
    this.tally.add("dropped");
    return "drop";
  }

  submit(): InterposerVerdict {
    if (!this.#submissions.chance(this.#probability)) return "pass";
    this.tally.add("dropped-sent");
    return "drop";
  }
}

/**
 * Drops each frame with a probability, both ways.
 * @throws {RangeError} when the probability is none.
 */
export function drop(options: DropOptions): Interposer {
  return new Dropper(options);
}
