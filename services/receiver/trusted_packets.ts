/** Reads packets one by one where they lie in packet memory, for a receiver that is trusted with it. */

import {
  RingReader,
  RingWriter,
  type TrustedAccess,
} from "../../caps/port/trusted_ring.ts";

/** The packets of one receiver. */
export class TrustedPackets {
  readonly #deliveries: RingReader;
  readonly #returns: RingWriter;
  readonly #bytes: Uint8Array;
  readonly #ring: () => void;
  /** Whether the entry that is next is being read. */
  #reading = false;

  /** `ring` wakes the driver. */
  constructor({ memory, rings }: TrustedAccess, ring: () => void) {
    this.#deliveries = new RingReader(rings, "deliveries");
    this.#returns = new RingWriter(rings, "returns");
    this.#bytes = new Uint8Array(memory.buffer);
    this.#ring = ring;
  }

  /** The next packet; the one before is given back. */
  next(): Uint8Array | undefined {
    this.#giveBack();
    const { available, at, words } = this.#deliveries;
    if (available === 0) return undefined;
    this.#reading = true;
    const offset = words[at]!;
    return this.#bytes.subarray(offset, offset + words[at + 1]!);
  }

  /** Nothing is here. Returns false when there is after all. */
  sleep(): boolean {
    return this.#deliveries.sleep();
  }

  /** Gives back everything, what was not read included. */
  giveBackAll(): void {
    this.#giveBack();
    while (this.#deliveries.available > 0) {
      this.#reading = true;
      this.#giveBack();
    }
  }

  #giveBack(): void {
    if (!this.#reading) return;
    this.#reading = false;
    const { at, words } = this.#deliveries;
    this.#returns.put(words[at]!, 0, words[at + 2]!, 0);
    this.#deliveries.advance(1);
    if (this.#returns.publish()) this.#ring();
  }
}
