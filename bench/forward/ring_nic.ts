/**
 * An emulated NIC for `forward`: the four rings of AF_XDP, with our ring code on
 * our side and a load generator where the kernel would be. Nothing in it is a
 * system call.
 */

import type { Counts } from "../../caps/driver/accounts.ts";
import {
  type Batch,
  frameOffset,
  FRAMES_OFFSET,
  HEADROOM_BYTES,
  type PacketMemory,
} from "../../caps/memory/memory.ts";
import { CopiedPages } from "../../drivers/kit/copied_pages.ts";
import type { Driver, DriverInfo, PageExchange } from "../../drivers/driver.ts";
import { IdleWait } from "../../drivers/kit/idle_wait.ts";
import {
  CompletionRing,
  FillRing,
  ReceiveRing,
  type RingMemory,
  TransmitRing,
} from "../../drivers/xdp/ring.ts";

/** Entries of each ring: as many as ixy has. */
export const RING_ENTRIES = 512;

/** Words of a ring's place: each index and the flags in a cache line of its own, then the entries. */
const LINE_WORDS = 16;
const RING_WORDS = 3 * LINE_WORDS + 4 * RING_ENTRIES;

/** Bytes that {@link RingNic} needs for its rings. */
export const RINGS_BYTES = 4 * RING_WORDS * 4;

/** A NIC whose wire is {@link RingNic.arrive} and {@link RingNic.leave}. */
export class RingNic implements Driver {
  readonly info: DriverInfo;
  readonly pages: PageExchange;
  readonly ended = false;
  readonly #idle = new IdleWait();
  readonly #rings: Readonly<Record<RingName, RingMemory>>;
  readonly #fill: FillRing;
  readonly #receive: ReceiveRing;
  readonly #transmit: TransmitRing;
  readonly #completion: CompletionRing;

  /** Takes a place for its rings in `rings` from `at` on: {@link RINGS_BYTES}. */
  constructor(
    memory: PacketMemory,
    name: string,
    place: { readonly rings: SharedArrayBuffer; readonly at: number },
  ) {
    this.info = {
      name,
      mode: "rings without a kernel",
      mac: new Uint8Array([2, 0x53, 0x50, 0, 0, place.at === 0 ? 1 : 2]),
      frameBytesMax: 1514,
      partialChecksums: false,
    };
    this.pages = new CopiedPages(memory);
    const ring = (index: number, words: number) =>
      ringAt(place.rings, place.at + index * RING_WORDS * 4, words);
    this.#rings = {
      receive: ring(0, 4),
      transmit: ring(1, 4),
      fill: ring(2, 2),
      completion: ring(3, 2),
    };
    const { frameCount } = memory;
    const umem = { offset: FRAMES_OFFSET, frameFirst: 0, frameCount };
    this.#fill = new FillRing(this.#rings.fill, umem);
    this.#receive = new ReceiveRing(this.#rings.receive, umem);
    this.#transmit = new TransmitRing(this.#rings.transmit, umem);
    this.#completion = new CompletionRing(this.#rings.completion, umem);
  }

  provide(frames: Uint32Array, count: number): number {
    return this.#fill.put(frames, 0, count);
  }

  receive(batch: Batch, max: number): number {
    return this.#receive.take(batch, 0, max);
  }

  transmit(batch: Batch, count: number): number {
    return this.#transmit.put(batch, count);
  }

  reclaim(frames: Uint32Array): number {
    return this.#completion.take(frames);
  }

  wait(delayMs: number): Promise<void> {
    return this.#idle.wait(delayMs);
  }

  wake(): void {
    this.#idle.wake();
  }

  counters(): Counts {
    return {};
  }

  [Symbol.dispose](): void {}

  /** The wire's side: `packet` arrives in every frame that was provided. Returns how often. */
  arrive(memory: PacketMemory, packet: Uint8Array): number {
    const { fill, receive } = this.#rings;
    const free = RING_ENTRIES - pending(receive);
    const count = Math.min(pending(fill), free);
    for (let n = 0; n < count; n++) {
      const from = ((fill.consumer[0]! + n) % RING_ENTRIES) * 2;
      const to = ((receive.producer[0]! + n) % RING_ENTRIES) * 4;
      const start = fill.entries[from]! + HEADROOM_BYTES;
      memory.bytes.set(packet, frameOffset(0) + start);
      receive.entries[to] = start;
      receive.entries[to + 2] = packet.length;
    }
    advance(fill.consumer, count);
    advance(receive.producer, count);
    return count;
  }

  /** The wire's side: everything that waits in the transmit ring is sent; `look` sees each packet's place. */
  leave(look: (offset: number, length: number) => void): number {
    const { transmit, completion } = this.#rings;
    const free = RING_ENTRIES - pending(completion);
    const count = Math.min(pending(transmit), free);
    for (let n = 0; n < count; n++) {
      const from = ((transmit.consumer[0]! + n) % RING_ENTRIES) * 4;
      const to = ((completion.producer[0]! + n) % RING_ENTRIES) * 2;
      const start = transmit.entries[from]!;
      look(frameOffset(0) + start, transmit.entries[from + 2]!);
      completion.entries[to] = start;
    }
    advance(transmit.consumer, count);
    advance(completion.producer, count);
    return count;
  }
}

type RingName = "receive" | "transmit" | "fill" | "completion";

function ringAt(
  buffer: SharedArrayBuffer,
  at: number,
  words: number,
): RingMemory {
  const line = (index: number) =>
    new Uint32Array(buffer, at + index * LINE_WORDS * 4, 1);
  return {
    producer: line(0),
    consumer: line(1),
    flags: line(2),
    entries: new Uint32Array(
      buffer,
      at + 3 * LINE_WORDS * 4,
      RING_ENTRIES * words,
    ),
  };
}

function pending({ producer, consumer }: RingMemory): number {
  return (Atomics.load(producer, 0) - Atomics.load(consumer, 0)) >>> 0;
}

function advance(index: Uint32Array, count: number): void {
  Atomics.store(index, 0, (index[0]! + count) >>> 0);
}
