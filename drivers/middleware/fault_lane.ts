/** A direction of a faulty wire: packets go in, and come out in some order. */

import type { WireFaults } from "../../caps/driver/wire_faults.ts";
import {
  type Batch,
  BATCH_MAX,
  frameAt,
  frameOffset,
  type PacketMemory,
} from "../../caps/memory/memory.ts";

/** The most later frames that overtake one. */
const LATE_MAX = 4;
/** Packets held back at once, at most. */
const HELD_MAX = 8;
/** Nothing was lost. */
const NONE = -1;

interface Packet {
  readonly offset: number;
  readonly length: number;
  readonly tagLow: number;
  readonly tagHigh: number;
  readonly offload: number;
  /** Frames that may still overtake it. */
  late: number;
}

/** Passes packets on with faults. A simulation's tool: it allocates. */
export class FaultLane {
  readonly #bytes: Uint8Array;
  readonly #rates: Required<WireFaults>;
  readonly #ready: Packet[] = [];
  readonly #held: Packet[] = [];
  #state: number;
  #lost = 0;
  #duplicated = 0;
  #reordered = 0;
  #corrupted = 0;
  #truncated = 0;

  /** @throws {RangeError} when a rate is not from 0 to 1. */
  constructor(memory: PacketMemory, seed: number, rates: WireFaults) {
    this.#bytes = memory.bytes;
    this.#rates = {
      loss: rateOf("loss", rates.loss),
      duplication: rateOf("duplication", rates.duplication),
      reordering: rateOf("reordering", rates.reordering),
      corruption: rateOf("corruption", rates.corruption),
      truncation: rateOf("truncation", rates.truncation),
    };
    this.#state = seed >>> 0;
  }

  /** Whether it ever needs a frame to put a duplicate into. */
  get duplicates(): boolean {
    return this.#rates.duplication > 0;
  }
  /** Packets that can be taken. */
  get ready(): number {
    return this.#ready.length;
  }
  /** Packets that wait to be overtaken. */
  get held(): number {
    return this.#held.length;
  }

  /**
   * Takes packet `index` of `batch` in. A duplicate goes into a frame of
   * `stock`, and is marked in `ours` when that is given.
   * @returns the frame of the packet if it was lost; negative otherwise.
   */
  pass(
    batch: Batch,
    index: number,
    stock: number[],
    ours?: Uint8Array,
  ): number {
    const offset = batch.offset[index]!;
    let length = batch.length[index]!;
    if (this.#happens(this.#rates.loss)) {
      this.#lost++;
      return frameAt(offset);
    }
    if (length > 1 && this.#happens(this.#rates.truncation)) {
      this.#truncated++;
      length = 1 + this.#below(length - 1);
    }
    if (this.#happens(this.#rates.corruption)) {
      this.#corrupted++;
      const at = offset + this.#below(length);
      this.#bytes[at] = this.#bytes[at]! ^ 1 << this.#below(8);
    }
    const packet: Packet = {
      offset,
      length,
      tagLow: batch.tagLow[index]!,
      tagHigh: batch.tagHigh[index]!,
      offload: batch.offload[index]!,
      late: 0,
    };
    if (
      this.#happens(this.#rates.reordering) && this.#held.length < HELD_MAX
    ) {
      this.#reordered++;
      packet.late = 1 + this.#below(LATE_MAX);
      this.#overtake();
      this.#held.push(packet);
    } else {
      this.#ready.push(packet);
      this.#overtake();
    }
    if (this.#happens(this.#rates.duplication) && stock.length > 0) {
      const copy = this.#copy(packet, stock.pop()!);
      this.#ready.push(copy);
      if (ours !== undefined) ours[frameAt(copy.offset)] = 1;
      this.#duplicated++;
    }
    return NONE;
  }

  #copy(packet: Packet, frame: number): Packet {
    const within = packet.offset - frameOffset(frameAt(packet.offset));
    const offset = frameOffset(frame) + within;
    const end = packet.offset + packet.length;
    this.#bytes.copyWithin(offset, packet.offset, end);
    return { ...packet, offset, late: 0 };
  }

  /** Counts a frame that overtook those that are held. */
  #overtake(): void {
    for (let i = 0; i < this.#held.length;) {
      const packet = this.#held[i]!;
      if (--packet.late > 0) i++;
      else this.#ready.push(...this.#held.splice(i, 1));
    }
  }

  /** Makes all that is held ready. */
  release(): void {
    this.#ready.push(...this.#held.splice(0));
  }

  /** Fills `batch` with the first packets that are ready. @returns how many. */
  copy(batch: Batch, max: number): number {
    const count = Math.min(max, BATCH_MAX, this.#ready.length);
    for (let i = 0; i < count; i++) {
      const packet = this.#ready[i]!;
      batch.offset[i] = packet.offset;
      batch.length[i] = packet.length;
      batch.tagLow[i] = packet.tagLow;
      batch.tagHigh[i] = packet.tagHigh;
      batch.offload[i] = packet.offload;
    }
    return count;
  }

  /** Forgets the first `count` packets that are ready. */
  drop(count: number): void {
    this.#ready.splice(0, count);
  }

  /** {@link copy}, and {@link drop}. */
  take(batch: Batch, max: number): number {
    const count = this.copy(batch, max);
    this.drop(count);
    return count;
  }

  /** Counts the faults of direction `way`. */
  counters(way: "rx" | "tx"): Record<string, number> {
    return {
      [`${way}-fault-lost`]: this.#lost,
      [`fault-${way}-duplicated`]: this.#duplicated,
      [`fault-${way}-reordered`]: this.#reordered,
      [`fault-${way}-corrupted`]: this.#corrupted,
      [`fault-${way}-truncated`]: this.#truncated,
    };
  }

  /** Draws only where a fault is possible: a rate of 0 leaves the rest as it was. */
  #happens(rate: number): boolean {
    return rate > 0 && this.#random() < rate;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** Mulberry32: a small generator with 32 bits of state; from 0 to below 1. */
  #random(): number {
    this.#state = this.#state + 0x6d2b79f5 >>> 0;
    let mixed = Math.imul(this.#state ^ this.#state >>> 15, this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 4294967296;
  }
}

function rateOf(name: string, rate = 0): number {
  if (!(rate >= 0 && rate <= 1)) {
    throw new RangeError(
      `faults: ${name} is ${rate}; a rate goes from 0 (never) to 1 (always)`,
    );
  }
  return rate;
}
