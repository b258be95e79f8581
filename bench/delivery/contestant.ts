/** What `deliver` compares: ways to get packets to another worker. */

/** One setting. */
export interface DeliveryCase {
  /** The packet that comes, again and again: IPv4 UDP to `port`. */
  readonly packet: Uint8Array<ArrayBuffer>;
  readonly port: number;
  /** Packets that come at once. */
  readonly batch: number;
  /** How ours come: packed into byte strings, as swapped pages, as descriptors to a trusted holder, or by a call in the driver's thread. */
  readonly way: "packed" | "swapped" | "shared" | "called";
  /**
   * Capabilities of the holder, each for a UDP port from `port` on; one by default. Batches that are packed go to them in turn, swapped ones to the last.
   */
  readonly capabilities?: number;
}

/** One way, set up with its worker. */
export interface DeliveryContestant {
  /**
   * Delivers `packets`, a multiple of the batch, at most eight batches ahead of
   * the receiver, and waits until all are done with. Returns nanoseconds a packet.
   */
  run(packets: number): Promise<number>;
  /** Ends the worker, and checks that it saw every packet. */
  end(): Promise<void>;
}
