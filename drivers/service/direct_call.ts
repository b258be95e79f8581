/** What the driver knows of a holder whose code it calls in its own thread. */

import type { DirectHandler } from "../../caps/port/direct_end.ts";

/** The part of such a holder's end that the driver calls. */
export interface DirectSender {
  /** Whether there is a page now for what was refused. */
  readonly hasRoom: boolean;
  /** Takes back what is open, and gives nothing more. */
  close(): void;
}

/** One such holder. */
export class DirectCall {
  /** The holder's code; undefined before it runs, and once it has failed. */
  handler: DirectHandler | undefined;
  /** What it sends by. */
  sender: DirectSender | undefined;
  /** Whether it was called in the batch at hand. */
  begun = false;
  /** Whether it waits for room. */
  waits = false;
}
