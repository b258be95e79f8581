/** Whether what a service asks for is among what it may have. */

import { describeGrant } from "../filter/grant/describe.ts";
import type { Grant } from "../filter/grant/grant.ts";
import { overlaps } from "../filter/grant/overlap.ts";

/** Frames of a service, each way. */
export interface ServiceFrames {
  /** Frames that come to it. */
  readonly receives: Grant;
  /** Frames that it sends. */
  readonly sends: Grant;
}

/**
 * Refuses what shares no frame with the envelope: such a service would run, and
 * be fed nothing, or have all that it sends refused.
 *
 * @throws {Error} that says both grants, and what to do.
 */
export function refuseBeyondEnvelope(
  asked: ServiceFrames,
  envelope: ServiceFrames,
): void {
  for (const way of ["receives", "sends"] as const) {
    if (overlaps(asked[way], envelope[way])) continue;
    // The grants are last: the end of a long message is cut off.
    throw new Error(
      `its ${way}() asks for no frame of its envelope (a manifest's "${way}", or --service FILE=WHAT): change one of them; it asks for ${
        describeGrant(asked[way])
      }, the envelope is ${describeGrant(envelope[way])}`,
    );
  }
}
