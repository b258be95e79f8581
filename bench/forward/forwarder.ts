/**
 * Layer-2 forwarding between two NICs as the driver service handles packets: a
 * batch received, classified by the compiled classifier where it lies, given new
 * Ethernet addresses and sent by the other NIC; frames that were sent, or that
 * hold nothing of interest, receive again.
 */

import {
  type Batch,
  batchAt,
  frameAt,
  type PacketMemory,
  RECEIVE_BATCH_OFFSET,
} from "../../caps/memory/memory.ts";
import { SLOT_NONE } from "../../caps/kernel/slots.ts";
import type { Driver } from "../../drivers/driver.ts";
import type { Classifier } from "../../drivers/service/classifier.ts";

/** One direction. */
export interface Path {
  readonly from: Driver;
  readonly to: Driver;
  /** Where packets go on: the next hop's address and the sending NIC's, as six 16-bit words. */
  readonly addresses: Uint16Array;
}

/** The addresses of a {@link Path} to `hop` by `nic`. */
export function addressWords(
  hop: Uint8Array,
  nic: Uint8Array,
): Uint16Array<ArrayBuffer> {
  const bytes = new Uint8Array(12);
  bytes.set(hop);
  bytes.set(nic, 6);
  return new Uint16Array(bytes.buffer);
}

/** Forwards along paths, at most `batchMax` packets at a time. */
export class Forwarder {
  readonly #halves: Uint16Array<SharedArrayBuffer>;
  readonly #batch: Batch;
  readonly #batchMax: number;
  readonly #classifier: Classifier;
  readonly #frames: Uint32Array;
  forwarded = 0;
  dropped = 0;

  constructor(memory: PacketMemory, classifier: Classifier, batchMax: number) {
    this.#halves = new Uint16Array(memory.bytes.buffer);
    this.#batch = batchAt(memory, RECEIVE_BATCH_OFFSET);
    this.#batchMax = batchMax;
    this.#classifier = classifier;
    this.#frames = new Uint32Array(batchMax);
  }

  /** One batch along `path`. Returns how many packets came. */
  turn({ from, to, addresses }: Path): number {
    const batch = this.#batch;
    // What went out this way before receives again on the side that it came from.
    const sent = to.reclaim(this.#frames);
    if (sent > 0) from.provide(this.#frames, sent);
    const count = from.receive(batch, this.#batchMax);
    if (count === 0) return 0;
    this.#classifier.classify(batch, count);
    const kept = this.#choose(from, count);
    this.#address(kept, addresses);
    const taken = to.transmit(batch, kept);
    for (let i = taken; i < kept; i++) this.#drop(from, batch.offset[i]!);
    this.forwarded += taken;
    return count;
  }

  /** Moves what is to go on to the batch's beginning. Returns how many. */
  #choose(from: Driver, count: number): number {
    const { offset, length, slot } = this.#batch;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      if (slot[i] === SLOT_NONE) {
        this.#drop(from, offset[i]!);
        continue;
      }
      if (kept !== i) {
        offset[kept] = offset[i]!;
        length[kept] = length[i]!;
      }
      kept++;
    }
    return kept;
  }

  /** Writes both Ethernet addresses: six stores, whose values stay in registers. */
  #address(count: number, addresses: Uint16Array): void {
    const halves = this.#halves;
    const { offset } = this.#batch;
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = addresses;
    for (let i = 0; i < count; i++) {
      const at = offset[i]! >>> 1;
      halves[at] = a;
      halves[at + 1] = b;
      halves[at + 2] = c;
      halves[at + 3] = d;
      halves[at + 4] = e;
      halves[at + 5] = f;
    }
  }

  #drop(from: Driver, offset: number): void {
    this.#frames[0] = frameAt(offset);
    from.provide(this.#frames, 1);
    this.dropped++;
  }
}
