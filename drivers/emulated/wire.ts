/**
 * An in-memory wire: two ends, each with a bounded queue of frames that have
 * arrived at it. Everything crosses it by copying.
 *
 * ```
 *   end a  send ─────────────► queue of b ──► receive  end b
 *          receive ◄── queue of a ◄───────────── send
 * ```
 *
 * An end is all that a party needs to know: a driver, a peer, a switch that
 * holds one end of each of many wires, or a port that carries it elsewhere.
 */

import type { Counts } from "../../caps/driver/accounts.ts";
import { Unsent } from "./unsent.ts";

/** One end of a wire. Dispose of it to take the link down. */
export interface WireEnd extends Disposable {
  /** The largest frame that it carries, in bytes. */
  readonly frameBytesMax: number;

  /**
   * True for a source that waits until its frames are wanted (a file); a wire
   * does not, and what arrives in vain is dropped.
   */
  readonly holds: boolean;

  /** Whether nothing will ever arrive again; what has arrived is still there. */
  readonly ended: boolean;

  /**
   * Sends `bytes[start .. start + length)`.
   * @returns false when it was not sent, with the reason counted.
   */
  send(bytes: Uint8Array, start: number, length: number): boolean;

  /** Sends on what was held back to be sent together. */
  flush(): void;

  /** Bytes of the next frame that has arrived; 0 when there is none. */
  peek(): number;

  /**
   * Copies the next frame into `into` at `start`, or only drops it when `into`
   * is undefined. There is one, and it fits.
   * @returns its bytes.
   */
  receive(into: Uint8Array | undefined, start: number): number;

  /** Milliseconds until a frame may arrive by itself; Infinity when not known. */
  dueMs(): number;

  /** Has `notify` called whenever something arrives or the link goes down. */
  onArrival(notify: () => void): void;

  /** What it did not carry, by reason: `tx-…` of what was sent, `rx-…` of what arrived. */
  counters(): Counts;
}

/** How a wire is made. */
export interface WireOptions {
  /** The largest frame, Ethernet header included; 1,514 bytes by default. */
  readonly frameBytesMax?: number;
  /** Frames that may wait at each end; a power of two, 1,024 by default. */
  readonly queueFrames?: number;
}

/** The largest Ethernet frame without a VLAN tag and checksum, in bytes. */
export const ETHERNET_FRAME_BYTES_MAX = 1514;

/** The most bytes that the two queues of one wire may take. */
const WIRE_BYTES_MAX = 256 * 1024 * 1024;

/**
 * Makes a wire and returns its two ends.
 * @throws {RangeError} when a limit makes no sense.
 */
export function makeWire(options: WireOptions = {}): [WireEnd, WireEnd] {
  const frameBytesMax = options.frameBytesMax ?? ETHERNET_FRAME_BYTES_MAX;
  const queueFrames = options.queueFrames ?? 1024;
  if (!Number.isInteger(frameBytesMax) || frameBytesMax < 14) {
    throw new RangeError(
      `wire: frameBytesMax is ${frameBytesMax}; it must be at least 14, an Ethernet header`,
    );
  }
  if (
    !Number.isInteger(queueFrames) || queueFrames < 1 ||
    (queueFrames & (queueFrames - 1)) !== 0 ||
    2 * queueFrames * frameBytesMax > WIRE_BYTES_MAX
  ) {
    throw new RangeError(
      `wire: queueFrames is ${queueFrames}; it must be a power of two, and both queues together at most ${WIRE_BYTES_MAX} bytes`,
    );
  }
  const a = new MemoryEnd(frameBytesMax, queueFrames);
  const b = new MemoryEnd(frameBytesMax, queueFrames);
  a.join(b);
  b.join(a);
  return [a, b];
}

/** An end with its queue: `queueFrames` slots of `frameBytesMax` in one array. */
class MemoryEnd implements WireEnd {
  readonly frameBytesMax: number;
  readonly holds = false;
  readonly #slots: Uint8Array;
  readonly #lengths: Uint32Array;
  readonly #mask: number;
  readonly #unsent: Unsent;
  #arrived = 0;
  #taken = 0;
  #far: MemoryEnd | undefined;
  #down = false;
  #notify: (() => void) | undefined;

  constructor(frameBytesMax: number, queueFrames: number) {
    this.frameBytesMax = frameBytesMax;
    this.#slots = new Uint8Array(queueFrames * frameBytesMax);
    this.#lengths = new Uint32Array(queueFrames);
    this.#mask = queueFrames - 1;
    this.#unsent = new Unsent(frameBytesMax);
  }

  join(far: MemoryEnd): void {
    this.#far = far;
  }

  get ended(): boolean {
    return this.#down && this.#arrived === this.#taken;
  }

  send(bytes: Uint8Array, start: number, length: number): boolean {
    if (this.#unsent.refuses(length, this.#down)) return false;
    if (!this.#far!.#put(bytes, start, length)) {
      this.#unsent.queueFull();
      return false;
    }
    return true;
  }

  #put(bytes: Uint8Array, start: number, length: number): boolean {
    if (this.#arrived - this.#taken === this.#lengths.length) return false;
    const slot = this.#arrived & this.#mask;
    copyBytes(bytes, start, length, this.#slots, slot * this.frameBytesMax);
    this.#lengths[slot] = length;
    this.#arrived++;
    // An end with something in its queue has been told already.
    if (this.#arrived - this.#taken === 1) this.#notify?.();
    return true;
  }

  flush(): void {}

  peek(): number {
    if (this.#arrived === this.#taken) return 0;
    return this.#lengths[this.#taken & this.#mask]!;
  }

  receive(into: Uint8Array | undefined, start: number): number {
    const length = this.peek();
    if (length === 0) throw new Error("wire: received where nothing arrived");
    const slot = this.#taken & this.#mask;
    if (into !== undefined) {
      const from = slot * this.frameBytesMax;
      copyBytes(this.#slots, from, length, into, start);
    }
    this.#taken++;
    return length;
  }

  dueMs(): number {
    return Infinity;
  }

  onArrival(notify: () => void): void {
    this.#notify = notify;
    if (this.peek() > 0) notify();
  }

  counters(): Counts {
    return this.#unsent.counters();
  }

  [Symbol.dispose](): void {
    if (this.#down) return;
    this.#down = true;
    // What waits here is lost with the end; what waits there may still be read.
    this.#taken = this.#arrived;
    const far = this.#far!;
    far.#down = true;
    this.#notify?.();
    far.#notify?.();
  }
}

/** Below this many bytes a loop is quicker than making a view for `set`. */
const LOOP_BYTES_MAX = 96;

/** Copies `length` bytes from `from[start..]` to `to[target..]`. Both lie in bounds. */
export function copyBytes(
  from: Uint8Array,
  start: number,
  length: number,
  to: Uint8Array,
  target: number,
): void {
  if (length <= LOOP_BYTES_MAX) {
    for (let i = 0; i < length; i++) to[target + i] = from[start + i]!;
  } else {
    to.set(from.subarray(start, start + length), target);
  }
}
