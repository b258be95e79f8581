/**
 * Interposers: what a capability's frames pass on their way between the driver
 * and the holder, who cannot tell that there is one.
 *
 * An interposer is a small state machine without powers, as a core is: a frame
 * and the time come in, what is to become of it comes out. It never sees pages,
 * byte strings or tags; a {@link Layer} around it sees to those.
 */

import type { Tally } from "../../caps/driver/accounts.ts";
import type { Frame } from "../core/core.ts";
import type { Instant } from "../runtime/clock.ts";

/**
 * What becomes of a frame: it goes on, it is dropped, or it is held until an
 * instant; one that has passed is "go on", {@link Infinity} is "never".
 */
export type InterposerVerdict = "pass" | "drop" | Instant;

/**
 * Something that frames pass. It may rewrite a frame where it lies, `start` and
 * `length` included, as long as it stays within the frame's capacity. What the
 * holder sends is checked by the driver afterwards: nothing that an interposer
 * does to a frame lets it out where the capability's own grant would not.
 */
export interface Interposer {
  /** A name of one word: `delay`. */
  readonly name: string;
  /** The interposer's counts; frames that the layer around it lost are added there too. */
  readonly tally: Tally;
  /** A frame on its way to the holder. */
  deliver(frame: Frame, now: Instant): InterposerVerdict;
  /** A frame that the holder sends. */
  submit(frame: Frame, now: Instant): InterposerVerdict;
  /** Called when no more frames will come for now: a log writes what it has gathered. */
  rest?(): void;
}
