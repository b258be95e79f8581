/** The driver's side of a trusted holder's rings, and the count of frames that are out. */

import {
  RingReader,
  RingWriter,
  type TrustedRings,
} from "../../caps/port/trusted_ring.ts";

/** A holder's two rings. */
export class TrustedRingPair {
  readonly deliveries: RingWriter;
  readonly returns: RingReader;
  /** Frames that were handed over and have not come back. */
  out = 0;
  /** Whether entries were put that are not published. */
  begun = false;

  constructor(rings: TrustedRings) {
    this.deliveries = new RingWriter(rings, "deliveries");
    this.returns = new RingReader(rings, "returns");
  }
}
