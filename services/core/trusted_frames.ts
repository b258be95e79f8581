/** The packets of a trusted holder: handled where they lie in packet memory, and given back by their descriptors. */

import {
  EXTENT_BYTES,
  EXTENT_PAGES,
  frameAt,
  frameOffset,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import {
  RingReader,
  RingWriter,
  type TrustedAccess,
} from "../../caps/port/trusted_ring.ts";
import type { Frame, Verdict } from "./core.ts";
import type { Instant } from "../runtime/clock.ts";

/** Packets after which the driver sees what was given back: it works on them meanwhile. */
const PUBLISH_EVERY = 64;

/** Packets handled before the event loop has a turn: some tens of microseconds. */
const PACKETS_PER_TURN = 1024;

/** The holder's side of its rings. */
export class TrustedFrames {
  readonly #deliveries: RingReader;
  readonly #returns: RingWriter;
  readonly #extentsFrom: number;
  readonly #ring: () => void;
  readonly #frame: Frame;

  /** `ring` wakes the driver. */
  constructor(access: TrustedAccess, ring: () => void) {
    const { memory, frameCount, extentCount, rings } = access;
    this.#deliveries = new RingReader(rings, "deliveries");
    this.#returns = new RingWriter(rings, "returns");
    this.#extentsFrom = frameCount - extentCount * EXTENT_PAGES;
    this.#ring = ring;
    this.#frame = {
      bytes: new Uint8Array(memory.buffer),
      start: 0,
      length: 0,
      capacity: 0,
      offload: 0,
    };
  }

  /** Has `receive` handle the packets that are here, a bounded number. Returns how many they were. */
  serve(
    now: Instant,
    receive: (frame: Frame, now: Instant) => Verdict,
  ): number {
    const reader = this.#deliveries;
    const returns = this.#returns;
    const frame = this.#frame;
    const { words } = reader;
    const count = Math.min(reader.available, PACKETS_PER_TURN);
    for (let i = 0; i < count; i++) {
      const { at } = reader;
      const offset = words[at]!;
      const slot = words[at + 2]!;
      frame.start = offset;
      frame.length = words[at + 1]!;
      frame.capacity = this.#roomFrom(offset);
      frame.offload = words[at + 3]!;
      reader.advance(1);
      if (receive(frame, now) === "reply") {
        returns.put(frame.start, frame.length, slot, frame.offload);
      } else returns.put(offset, 0, slot, 0);
      if ((i + 1) % PUBLISH_EVERY === 0) this.#publish();
    }
    if (count % PUBLISH_EVERY !== 0) this.#publish();
    return count;
  }

  /** Nothing is here. Returns false when there is after all; otherwise the driver rings. */
  sleep(): boolean {
    return this.#deliveries.sleep();
  }

  #publish(): void {
    if (this.#returns.publish()) this.#ring();
  }

  #roomFrom(offset: number): number {
    const frame = frameAt(offset);
    const sizeBytes = frame < this.#extentsFrom ? PAGE_BYTES : EXTENT_BYTES;
    return frameOffset(frame) + sizeBytes - offset;
  }
}
