/** A core that only answers: it never starts anything, so it never wakes. */

import { type Counts, Tally } from "../../caps/driver/accounts.ts";
import type { Core, Frame, Outbox, Verdict } from "./core.ts";
import { type Instant, NEVER } from "../runtime/clock.ts";

/** What such cores have in common. */
export abstract class Responder implements Core {
  readonly wakeAt: Instant = NEVER;
  /** What it counts, by what was counted. */
  protected readonly tally: Tally = new Tally();

  abstract receive(frame: Frame, now: Instant, out: Outbox): Verdict;

  wake(_now: Instant, _out: Outbox): void {}

  counters(): Counts {
    return this.tally.snapshot();
  }
}
