/** A NIC that always has packets, none of which is anybody's: its driver never rests. */

import {
  type Batch,
  frameOffset,
  type PacketMemory,
} from "../../caps/memory/memory.ts";
import { SourceNic } from "../source_nic.ts";

/** Packets that come at once, and the bytes of each. */
const BATCH = 64;
const PACKET_BYTES = 128;

/** Frames that were provided come back at once, a batch a call. */
export class FloodNic extends SourceNic {
  readonly #frames: number[] = [];

  constructor(memory: PacketMemory) {
    super(memory, 1514);
  }

  override provide(frames: Uint32Array, count: number): number {
    for (let i = 0; i < count; i++) this.#frames.push(frames[i]!);
    return count;
  }

  override receive(batch: Batch, _max: number): number {
    const count = Math.min(BATCH, this.#frames.length);
    for (let i = 0; i < count; i++) {
      batch.offset[i] = frameOffset(this.#frames.pop()!);
      batch.length[i] = PACKET_BYTES;
    }
    return count;
  }
}
