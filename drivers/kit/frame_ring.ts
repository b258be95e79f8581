/** A bounded first-in-first-out queue of frame numbers, as a NIC's rings are. */

/** Holds up to `capacity` frames; a power of two. */
export class FrameRing {
  readonly #frames: Uint32Array;
  readonly #mask: number;
  #produced = 0;
  #consumed = 0;

  /** An empty one. @throws {RangeError} when `capacity` is not a power of two from 1 to 65,536. */
  constructor(capacity: number) {
    if (
      !Number.isInteger(capacity) || capacity < 1 || capacity > 65536 ||
      (capacity & (capacity - 1)) !== 0
    ) {
      throw new RangeError(
        `ring: capacity is ${capacity}; it must be a power of two from 1 to 65536`,
      );
    }
    this.#frames = new Uint32Array(capacity);
    this.#mask = capacity - 1;
  }

  /** Frames in it. */
  get size(): number {
    return (this.#produced - this.#consumed) >>> 0;
  }

  /** Frames that still fit. */
  get space(): number {
    return this.#frames.length - this.size;
  }

  /** Puts `frame` at the end. The caller saw that there is space. */
  push(frame: number): void {
    if (this.space === 0) throw new Error("ring: pushed into a full ring");
    this.#frames[this.#produced & this.#mask] = frame;
    this.#produced = (this.#produced + 1) >>> 0;
  }

  /** Takes the first one. The caller saw that it is not empty. */
  shift(): number {
    if (this.size === 0) throw new Error("ring: taken from an empty ring");
    const frame = this.#frames[this.#consumed & this.#mask]!;
    this.#consumed = (this.#consumed + 1) >>> 0;
    return frame;
  }
}
