/**
 * An end of a wire whose other end lies beyond a MessagePort, in another
 * worker. Frames go in batches, one transferred buffer a message; the buffer
 * itself comes back as the acknowledgement, which bounds what is in flight.
 *
 * ```
 *   buffer   ├ length (u32) ┼ frame, padded to 4 ┤ … as many as `count` says
 * ```
 */

import type { Counts } from "../../caps/driver/accounts.ts";
import { isBufferOf } from "../../caps/memory/buffers.ts";
import { Unsent } from "./unsent.ts";
import { copyBytes, ETHERNET_FRAME_BYTES_MAX, type WireEnd } from "./wire.ts";

/** How an end beyond a port is made; both sides give the same. */
export interface PortEndOptions {
  /** The largest frame, Ethernet header included; 1,514 bytes by default. */
  readonly frameBytesMax?: number;
  /** Batches in flight each way; 16 by default. */
  readonly batchesMax?: number;
}

/** Bytes of a batch's buffer. */
const BATCH_BYTES = 64 * 1024;

/** What crosses the port: a batch, the acknowledgement of one, or the end. */
type PortMessage =
  | { readonly frames: ArrayBuffer; readonly count: number }
  | { readonly empty: ArrayBuffer }
  | { readonly down: true };

/**
 * Makes `port` an end of a wire; the other side does the same with the other
 * port. What is sent leaves at {@link WireEnd.flush}, when a batch is full, or
 * when the caller's turn ends, whichever is first. The end owns the port.
 */
export function openPortEnd(
  port: MessagePort,
  options: PortEndOptions = {},
): WireEnd {
  return new PortEnd(port, options);
}

class PortEnd implements WireEnd {
  readonly frameBytesMax: number;
  readonly holds = false;
  readonly #port: MessagePort;
  readonly #batchesMax: number;
  readonly #unsent: Unsent;
  /** Buffers to fill; those that exist at all are bounded by `batchesMax`. */
  readonly #spare: ArrayBuffer[] = [];
  #inFlight = 0;
  #buffer: ArrayBuffer | undefined;
  #bytes = new Uint8Array(0);
  #view = new DataView(new ArrayBuffer(0));
  #end = 0;
  #count = 0;
  #flushDue = false;
  readonly #flushNow = () => this.flush();
  /** Batches that have arrived; at most `batchesMax`. */
  readonly #arrived: { frames: ArrayBuffer; count: number }[] = [];
  #reading = new Uint8Array(0);
  #readingView = new DataView(new ArrayBuffer(0));
  #readAt = 0;
  #down = false;
  #notify: (() => void) | undefined;
  #badMessage = 0;

  constructor(port: MessagePort, options: PortEndOptions) {
    this.frameBytesMax = options.frameBytesMax ?? ETHERNET_FRAME_BYTES_MAX;
    this.#batchesMax = options.batchesMax ?? 16;
    if (
      !Number.isInteger(this.frameBytesMax) || this.frameBytesMax < 14 ||
      this.frameBytesMax > BATCH_BYTES - 4
    ) {
      throw new RangeError(
        `wire: frameBytesMax is ${this.frameBytesMax}; it must be from 14 to ${
          BATCH_BYTES - 4
        }`,
      );
    }
    this.#unsent = new Unsent(this.frameBytesMax);
    this.#port = port;
    port.onmessage = (event) => this.#message(event.data);
    port.onmessageerror = () => this.#badMessage++;
  }

  get ended(): boolean {
    return this.#down && this.#arrived.length === 0;
  }

  send(bytes: Uint8Array, start: number, length: number): boolean {
    if (this.#unsent.refuses(length, this.#down)) return false;
    const need = 4 + length + (-length & 3);
    if (this.#buffer !== undefined && this.#end + need > BATCH_BYTES) {
      this.flush();
    }
    if (this.#buffer === undefined && !this.#newBatch()) {
      this.#unsent.queueFull();
      return false;
    }
    this.#view.setUint32(this.#end, length, true);
    copyBytes(bytes, start, length, this.#bytes, this.#end + 4);
    this.#end += need;
    this.#count++;
    if (!this.#flushDue) {
      this.#flushDue = true;
      queueMicrotask(this.#flushNow);
    }
    return true;
  }

  #newBatch(): boolean {
    if (this.#inFlight === this.#batchesMax) return false;
    const buffer = this.#spare.pop() ?? new ArrayBuffer(BATCH_BYTES);
    this.#buffer = buffer;
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
    this.#end = 0;
    this.#count = 0;
    return true;
  }

  flush(): void {
    this.#flushDue = false;
    const frames = this.#buffer;
    if (frames === undefined || this.#down) return;
    this.#buffer = undefined;
    this.#inFlight++;
    this.#port.postMessage({ frames, count: this.#count }, [frames]);
  }

  #message(data: unknown): void {
    const message = readMessage(data);
    if (message === undefined || this.#down) {
      if (!this.#down) this.#badMessage++;
    } else if ("down" in message) {
      this.#takeDown();
    } else if ("empty" in message) {
      if (this.#inFlight === 0) this.#badMessage++;
      else {
        this.#inFlight--;
        this.#spare.push(message.empty);
      }
    } else if (
      this.#arrived.length === this.#batchesMax ||
      !this.#isSound(message.frames, message.count)
    ) {
      this.#badMessage++;
    } else {
      this.#arrived.push(message);
      if (this.#arrived.length === 1) this.#startReading();
      this.#notify?.();
    }
  }

  /** Whether `count` frames lie one after the other in `buffer`. */
  #isSound(buffer: ArrayBuffer, count: number): boolean {
    const view = new DataView(buffer);
    let at = 0;
    for (let i = 0; i < count; i++) {
      if (at + 4 > BATCH_BYTES) return false;
      const length = view.getUint32(at, true);
      if (length === 0 || length > this.frameBytesMax) return false;
      at += 4 + length + (-length & 3);
      if (at > BATCH_BYTES) return false;
    }
    return true;
  }

  #startReading(): void {
    const batch = this.#arrived[0];
    if (batch === undefined) return;
    this.#reading = new Uint8Array(batch.frames);
    this.#readingView = new DataView(batch.frames);
    this.#readAt = 0;
  }

  peek(): number {
    if (this.#arrived.length === 0) return 0;
    return this.#readingView.getUint32(this.#readAt, true);
  }

  receive(into: Uint8Array | undefined, start: number): number {
    const length = this.peek();
    if (length === 0) throw new Error("wire: received where nothing arrived");
    if (into !== undefined) {
      copyBytes(this.#reading, this.#readAt + 4, length, into, start);
    }
    this.#readAt += 4 + length + (-length & 3);
    const batch = this.#arrived[0]!;
    if (--batch.count === 0) {
      this.#arrived.shift();
      if (!this.#down) {
        this.#port.postMessage({ empty: batch.frames }, [batch.frames]);
      }
      this.#startReading();
    }
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
    return { ...this.#unsent.counters(), "rx-bad-message": this.#badMessage };
  }

  #takeDown(): void {
    this.#down = true;
    this.#port.close();
    this.#notify?.();
  }

  [Symbol.dispose](): void {
    if (this.#down) return;
    this.flush();
    this.#port.postMessage({ down: true });
    this.#arrived.length = 0;
    this.#takeDown();
  }
}

/** What a message says; undefined when it is none of ours. */
function readMessage(
  data: unknown,
): { frames: ArrayBuffer; count: number } | PortMessage | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  if ("down" in data) return { down: true };
  if ("empty" in data) {
    return isBufferOf(data.empty, BATCH_BYTES)
      ? { empty: data.empty }
      : undefined;
  }
  if (!("frames" in data) || !("count" in data)) return undefined;
  const { frames, count } = data;
  const known = isBufferOf(frames, BATCH_BYTES) && typeof count === "number" &&
    Number.isInteger(count) && count > 0;
  return known ? { frames, count } : undefined;
}
