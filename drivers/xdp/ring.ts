/**
 * The four rings of AF_XDP (Documentation/networking/af_xdp.rst), over memory
 * that the kernel shares. One side writes entries and then the producer index,
 * the other reads them and then moves the consumer index; both indices count on
 * for ever, modulo 2^32, and an entry lies at `index & mask`.
 *
 * ```
 *              we produce                      we consume
 *   fill       frames to receive into          receive     packets that came
 *   transmit   packets to send                 completion  frames that were sent
 * ```
 *
 * An entry of `fill` and `completion` is a 64-bit address in the UMEM, of the
 * other two a descriptor. Addresses are below 2^32 here, so their high halves
 * stay 0:
 *
 * ```
 * ├ address, low ┼ address, high ┼ length ┼ options ┤   u32 each
 * ```
 */

import {
  type Batch,
  frameAt,
  PAGE_BYTES,
  PAGE_SHIFT,
} from "../../caps/memory/memory.ts";
import { XDP_RING_NEED_WAKEUP } from "../sys/abi.ts";

/** A ring's memory as typed arrays. */
export interface RingMemory {
  /** One word: how many entries were ever produced. */
  readonly producer: Uint32Array;
  /** One word: how many were ever consumed. */
  readonly consumer: Uint32Array;
  /** One word of flags: XDP_RING_NEED_WAKEUP. */
  readonly flags: Uint32Array;
  /** The entries, 2 or 4 words each; as many as a power of two. */
  readonly entries: Uint32Array;
}

/** Where a UMEM lies in packet memory, and which frames it has. */
export interface UmemPlace {
  /** Byte offset in packet memory of its first byte. */
  readonly offset: number;
  /** First frame of the ring. */
  readonly frameFirst: number;
  /** How many frames it has. */
  readonly frameCount: number;
}

const { load, store } = Atomics;

const ADDRESS_WORDS = 2;
const DESCRIPTOR_WORDS = 4;

/** A ring that we write to. */
class ProducerRing {
  protected readonly umem: UmemPlace;
  protected readonly entries: Uint32Array;
  protected readonly capacity: number;
  /** Entries ever produced: under the mask, where the next one goes. */
  protected next: number;
  readonly #ring: RingMemory;

  constructor(ring: RingMemory, umem: UmemPlace, words: number) {
    this.umem = umem;
    this.entries = ring.entries;
    this.capacity = capacityOf(ring, words);
    this.next = load(ring.producer, 0);
    this.#ring = ring;
  }

  /** How many entries the kernel has not yet taken. */
  get pending(): number {
    return (this.next - load(this.#ring.consumer, 0)) >>> 0;
  }

  /** How many entries it would take now. */
  get free(): number {
    return this.capacity - this.pending;
  }

  /** Whether the kernel must be called for it to go on. */
  get needsWakeup(): boolean {
    return (load(this.#ring.flags, 0) & XDP_RING_NEED_WAKEUP) !== 0;
  }

  /** Hands over the `count` entries that were written from `next` on. */
  protected advance(count: number): void {
    this.next = (this.next + count) >>> 0;
    store(this.#ring.producer, 0, this.next);
  }
}

/** A ring that we read from. */
class ConsumerRing {
  protected readonly umem: UmemPlace;
  protected readonly entries: Uint32Array;
  protected readonly capacity: number;
  /** Entries ever consumed: under the mask, where the next one is. */
  protected next: number;
  readonly #ring: RingMemory;

  constructor(ring: RingMemory, umem: UmemPlace, words: number) {
    this.umem = umem;
    this.entries = ring.entries;
    this.capacity = capacityOf(ring, words);
    this.next = load(ring.consumer, 0);
    this.#ring = ring;
  }

  /** How many entries may be read now. */
  protected get available(): number {
    return (load(this.#ring.producer, 0) - this.next) >>> 0;
  }

  /** Gives back the `count` entries that were read from `next` on. */
  protected advance(count: number): void {
    if (count === 0) return;
    this.next = (this.next + count) >>> 0;
    store(this.#ring.consumer, 0, this.next);
  }
}

/** Frames to receive into; we produce. */
export class FillRing extends ProducerRing {
  /** The ring in `ring`, of a UMEM that lies at `umem`. */
  constructor(ring: RingMemory, umem: UmemPlace) {
    super(ring, umem, ADDRESS_WORDS);
  }

  /** Puts `frames[from .. from + count)`. Returns how many were taken. */
  put(frames: Uint32Array, from: number, count: number): number {
    const { entries, next } = this;
    const { frameFirst, frameCount } = this.umem;
    const mask = this.capacity - 1;
    const taken = Math.min(count, this.free);
    for (let n = 0; n < taken; n++) {
      const frame = frames[from + n]! - frameFirst;
      if (!(frame >= 0 && frame < frameCount)) notOurs(frames[from + n]!);
      const at = ((next + n) & mask) * ADDRESS_WORDS;
      entries[at] = frame << PAGE_SHIFT;
      entries[at + 1] = 0;
    }
    this.advance(taken);
    return taken;
  }
}

/** Frames whose packets have left; we consume. */
export class CompletionRing extends ConsumerRing {
  /** The ring in `ring`, of a UMEM that lies at `umem`. */
  constructor(ring: RingMemory, umem: UmemPlace) {
    super(ring, umem, ADDRESS_WORDS);
  }

  /** Takes frames into `frames` from index 0. Returns how many. */
  take(frames: Uint32Array): number {
    const { entries, next } = this;
    const { frameFirst } = this.umem;
    const mask = this.capacity - 1;
    const taken = Math.min(frames.length, this.available);
    for (let n = 0; n < taken; n++) {
      const at = ((next + n) & mask) * ADDRESS_WORDS;
      frames[n] = frameFirst + (entries[at]! >>> PAGE_SHIFT);
    }
    this.advance(taken);
    return taken;
  }
}

/** Packets that came; we consume. */
export class ReceiveRing extends ConsumerRing {
  /** The ring in `ring`, of a UMEM that lies at `umem`. */
  constructor(ring: RingMemory, umem: UmemPlace) {
    super(ring, umem, DESCRIPTOR_WORDS);
  }

  /** Whether a packet is waiting. */
  get ready(): boolean {
    return this.available > 0;
  }

  /**
   * Takes packets into `batch[at .. at + max)`: `offset` and `length`. Returns
   * how many.
   */
  take(batch: Batch, at: number, max: number): number {
    const { entries, next } = this;
    const { offset, length } = batch;
    const base = this.umem.offset;
    const mask = this.capacity - 1;
    const taken = Math.min(max, this.available);
    for (let n = 0; n < taken; n++) {
      const from = ((next + n) & mask) * DESCRIPTOR_WORDS;
      offset[at + n] = base + entries[from]!;
      length[at + n] = entries[from + 2]!;
    }
    this.advance(taken);
    return taken;
  }
}

/** Packets to send; we produce. */
export class TransmitRing extends ProducerRing {
  /** The ring in `ring`, of a UMEM that lies at `umem`. */
  constructor(ring: RingMemory, umem: UmemPlace) {
    super(ring, umem, DESCRIPTOR_WORDS);
  }

  /**
   * Puts the packets `batch[0 .. count)`, in order. Returns how many were taken.
   *
   * @throws {RangeError} when one is empty or leaves its frame; none was taken
   * then. The kernel would drop such a packet and never give the frame back.
   */
  put(batch: Batch, count: number): number {
    const { entries, next } = this;
    const { offset, length } = batch;
    const { offset: base, frameCount } = this.umem;
    const mask = this.capacity - 1;
    const taken = Math.min(count, this.free);
    for (let n = 0; n < taken; n++) {
      const start = offset[n]! - base;
      const bytes = length[n]!;
      const inFrame = start & (PAGE_BYTES - 1);
      if (
        // Below the first frame, too: a negative number's bits are a large one's.
        start >>> PAGE_SHIFT >= frameCount || bytes === 0 ||
        inFrame + bytes > PAGE_BYTES
      ) notOurs(frameAt(offset[n]!));
      const at = ((next + n) & mask) * DESCRIPTOR_WORDS;
      entries[at] = start;
      entries[at + 1] = 0;
      entries[at + 2] = bytes;
      entries[at + 3] = 0;
    }
    this.advance(taken);
    return taken;
  }
}

function capacityOf(ring: RingMemory, words: number): number {
  const capacity = ring.entries.length / words;
  if (!Number.isInteger(Math.log2(capacity))) {
    throw new RangeError(`a ring of ${capacity} entries is no power of two`);
  }
  return capacity;
}

function notOurs(frame: number): never {
  throw new RangeError(
    `frame ${frame} is not one of this NIC's, or its packet is empty or leaves it`,
  );
}
