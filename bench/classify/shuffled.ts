/**
 * Timing over packets in an order that is new each time. Of one order a processor
 * learns the branches of thousands of packets by heart: C and Wasm are then three
 * to five times as fast as among packets of which nothing can be foretold, and an
 * interpreter twice. Captures lie in between, as packets come in trains.
 */

import { BATCH_MAX } from "../../caps/memory/memory.ts";
import type { Contestant } from "../rounds.ts";
import type { Classify, Ground } from "./ground.ts";

/** How one contestant is timed. */
export interface ShuffledOptions {
  /** So much of each round it classifies, at least. */
  readonly durationMs: number;
  /** Batches of the ground that are gone over; all by default. */
  readonly batches?: number;
}

/** Nanoseconds a packet. */
export function timedShuffled(
  ground: Ground,
  classify: Classify,
  { durationMs, batches = ground.batches.length }: ShuffledOptions,
): Contestant {
  return () => {
    let elapsedMs = 0;
    let packets = 0;
    while (elapsedMs < durationMs) {
      shuffle(ground, batches);
      const start = performance.now();
      classify(batches);
      elapsedMs += performance.now() - start;
      packets += batches * BATCH_MAX;
    }
    return elapsedMs * 1e6 / packets;
  };
}

let state = 0x2545f491;

/** Gives the packets of each of the first `count` batches a new order. */
function shuffle({ batches }: Ground, count: number): void {
  for (let b = 0; b < count; b++) {
    const { offset, length } = batches[b]!;
    for (let i = BATCH_MAX - 1; i > 0; i--) {
      // xorshift32 (Marsaglia 2003)
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      const j = (state >>> 1) % (i + 1);
      const [offsetBefore, lengthBefore] = [offset[i]!, length[i]!];
      offset[i] = offset[j]!;
      length[i] = length[j]!;
      offset[j] = offsetBefore;
      length[j] = lengthBefore;
    }
  }
}
