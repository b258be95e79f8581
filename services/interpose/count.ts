/** Counts what passes. */

import { Tally } from "../../caps/driver/accounts.ts";
import type { Frame } from "../core/core.ts";
import type { Interposer, InterposerVerdict } from "./interposer.ts";

class Counter implements Interposer {
  readonly name = "count";
  readonly tally = new Tally();

  deliver(frame: Frame): InterposerVerdict {
    this.tally.add("delivered");
    this.tally.add("delivered-bytes", frame.length);
    return "pass";
  }

  submit(frame: Frame): InterposerVerdict {
    this.tally.add("sent");
    this.tally.add("sent-bytes", frame.length);
    return "pass";
  }
}

/**
 * Counts frames and bytes both ways. What the holder sends is counted as it
 * comes from the holder: the driver may refuse it still.
 */
export function count(): Interposer {
  return new Counter();
}
