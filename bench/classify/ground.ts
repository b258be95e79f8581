/**
 * Packets in packet memory, and batches of them in front: what the contestants
 * of `classify` go over, again and again; no more than a second-level cache holds.
 *
 * ```
 * ├─ batch 0 (8 KiB) ─┼─ … ─┼─ batch 15 ─┼─ packet 0 (128 bytes) ─┼─ packet 1 ─┼─ … ┤
 * ```
 */

import {
  type Batch,
  BATCH_MAX,
  batchAt,
  frameOffset,
  makePacketMemory,
  type PacketMemory,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import { FRAME_BYTES } from "./frame.ts";

/** How many packets there are. */
export const PACKETS: number = 16 * BATCH_MAX;

/** Frames of packet memory that one batch's arrays take. */
const BATCH_FRAMES = 2;

/** Packets to be classified. */
export interface Ground {
  readonly memory: PacketMemory;
  readonly batches: readonly Batch[];
}

/** Fills every packet's slot in the first `batches` batches of a ground; all by default. */
export type Classify = (batches?: number) => void;

/** A ground of {@link PACKETS} packets: `frames`, over and over. */
export function makeGround(frames: readonly Uint8Array[]): Ground {
  const batchCount = PACKETS / BATCH_MAX;
  const packetsAt = frameOffset(batchCount * BATCH_FRAMES);
  const packetFrames = PACKETS * FRAME_BYTES / PAGE_BYTES;
  const memory = makePacketMemory(batchCount * BATCH_FRAMES + packetFrames);
  const batches = Array.from(
    { length: batchCount },
    (_, index) => batchAt(memory, frameOffset(index * BATCH_FRAMES)),
  );
  for (let i = 0; i < PACKETS; i++) {
    const frame = frames[i % frames.length]!;
    const offset = packetsAt + i * FRAME_BYTES;
    memory.bytes.set(frame, offset);
    const batch = batches[Math.floor(i / BATCH_MAX)]!;
    batch.offset[i % BATCH_MAX] = offset;
    batch.length[i % BATCH_MAX] = frame.length;
  }
  return { memory, batches };
}

/** Calls `each` with the address of one batch after another. */
export function overBatches(
  { batches }: Ground,
  each: (address: number) => void,
): Classify {
  const addresses = batches.map(({ address }) => address);
  return (count = addresses.length) => {
    for (let i = 0; i < count; i++) each(addresses[i]!);
  };
}

/** The slots that `classify` gives the packets of the first `batches` batches. */
function slotsOf(
  ground: Ground,
  classify: Classify,
  batches: number,
): number[] {
  // What another one left must not pass for this one's answer.
  for (const { slot } of ground.batches) slot.fill(0xdead);
  classify(batches);
  return ground.batches.slice(0, batches).flatMap(({ slot }) => [...slot]);
}

/**
 * Has each contestant classify all packets, those in `fewer` only so many
 * batches of them, and compares.
 *
 * @returns how many packets have a slot.
 * @throws when two contestants differ.
 */
export function checkAgreement(
  ground: Ground,
  contestants: Readonly<Record<string, Classify>>,
  fewer: Readonly<Record<string, number>> = {},
): number {
  const all = ground.batches.length;
  let expected: readonly number[] | undefined;
  for (const [name, classify] of Object.entries(contestants)) {
    const slots = slotsOf(ground, classify, fewer[name] ?? all);
    expected ??= slots;
    for (const [i, slot] of slots.entries()) {
      if (slot === expected[i]) continue;
      throw new Error(
        `classify: packet ${i} is slot ${slot} for ${name}, ${
          expected[i]
        } for ours`,
      );
    }
  }
  return expected!.filter((slot) => slot !== 0).length;
}
