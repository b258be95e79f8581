/** Lets a function of the program's rewrite frames. */

import { Tally } from "../../caps/driver/accounts.ts";
import type { Frame } from "../core/core.ts";
import type { Interposer, InterposerVerdict } from "./interposer.ts";

/** Which way a frame goes: to the holder, or from it. */
export type Way = "in" | "out";

/**
 * Rewrites a frame where it lies, its `start` and `length` included, within its
 * capacity; `"drop"` drops it. A frame that it outgrows is dropped and counted.
 */
export type Rewriting = (frame: Frame, way: Way) => "drop" | void;

class Rewriter implements Interposer {
  readonly name = "rewrite";
  readonly tally = new Tally();
  readonly #rewriting: Rewriting;

  constructor(rewriting: Rewriting) {
    this.#rewriting = rewriting;
  }

  deliver(frame: Frame): InterposerVerdict {
    return this.#apply(frame, "in");
  }

  submit(frame: Frame): InterposerVerdict {
    return this.#apply(frame, "out");
  }

  /** A function that throws has the frame dropped: half rewritten it goes nowhere. */
  #apply(frame: Frame, way: Way): InterposerVerdict {
    try {
      if (this.#rewriting(frame, way) !== "drop") return "pass";
      this.tally.add("dropped");
    } catch {
      this.tally.add("threw");
    }
    return "drop";
  }
}

/** Has `rewriting` rewrite, or drop, every frame, both ways. */
export function rewrite(rewriting: Rewriting): Interposer {
  return new Rewriter(rewriting);
}
