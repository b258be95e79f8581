/** A packet in a buffer, as whoever handles it has it, and the one that is opened to be sent. */

/**
 * A frame in a buffer that its holder may rewrite: the packet is
 * `bytes[start .. start + length)`. One such object is reused for all packets
 * of a batch; a core that wants the bytes later copies them.
 */
export interface Frame {
  /** The page, or the byte string, in which the packet lies. */
  bytes: Uint8Array;
  /** Where the packet starts. */
  start: number;
  /** Bytes of the packet. */
  length: number;
  /** The most bytes that may lie from `start` on. */
  capacity: number;
  /**
   * What is known of its checksum and segmentation, as one word
   * (offload.ts); in a frame that is sent: what is wished for it. A
   * checksum that is CHECKSUM_PARTIAL is completed, and a super-packet leaves as
   * segments of so many bytes, by the NIC where it can and by the driver where
   * not. 0 for a frame that is as it is on a wire.
   */
  offload: number;
}

/** The frame that a sender has open: one object for all, so that none is made for a packet. */
export class OpenFrame {
  readonly #frame: Frame = {
    bytes: new Uint8Array(0),
    start: 0,
    length: 0,
    capacity: 0,
    offload: 0,
  };
  #isOpen = false;
  /** The room in it: what its sender writes there is its own word. */
  capacity = 0;
  /** Of the frame that was sent last: its bytes. */
  length = 0;
  /** Of the frame that was sent last: its offload word. */
  offload = 0;

  /** Opens one: room for `capacity` bytes from `start` of `bytes` on. */
  open(bytes: Uint8Array, start: number, capacity: number): Frame {
    const frame = this.#frame;
    frame.bytes = bytes;
    frame.start = start;
    frame.length = 0;
    frame.capacity = capacity;
    frame.offload = 0;
    this.capacity = capacity;
    this.#isOpen = true;
    return frame;
  }

  /** Takes it back. */
  close(): void {
    this.#isOpen = false;
  }

  /**
   * Takes it to be sent: what its sender has put into it is a number from then on, read once.
   * @throws {Error} when none is open, or it is longer than its room.
   */
  send(): void {
    if (!this.#isOpen) {
      throw new Error("runner: send() without a frame that open() gave");
    }
    const length = this.#frame.length >>> 0;
    const offload = this.#frame.offload >>> 0;
    if (length > this.capacity) {
      throw new Error("runner: the frame outgrew its room");
    }
    this.#isOpen = false;
    this.length = length;
    this.offload = offload;
  }
}
