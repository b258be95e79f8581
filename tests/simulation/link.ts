/**
 * A link of a simulated world: what a station sends waits in a queue until the
 * link has sent what came before, takes as long as its rate says, and arrives a
 * delay later. What finds the queue full is dropped (tail drop).
 *
 * ```
 *   station ──► queue, queueBytes ──► bitsPerSecond ──► delayUs ──► the others
 * ```
 *
 * Rate times delay is how much is under way on a full link: 100 Mb/s and 20 ms
 * hold 250,000 bytes.
 */

import type { Instant } from "../../services/runtime/clock.ts";

/** How a station's link is. */
export interface LinkOptions {
  /** Bits of frames in a second, without preamble and gaps; without a limit by default. */
  readonly bitsPerSecond?: number;
  /** Bytes of frames that may wait, the one that is being sent not counted; without a limit by default. */
  readonly queueBytes?: number;
  /** From the last bit that is sent to its arrival, in µs, above 0; the world's `latencyUs` by default. */
  readonly delayUs?: number;
}

/** A station's link, towards all others. */
export class Link {
  readonly #bitsPerUs: number;
  readonly #queueBytes: number;
  readonly #delayUs: number;
  /** When all that was taken so far has been sent. */
  #freeAtUs: Instant = 0;
  /** Frames that wait, the oldest first: when each begins to be sent, and its bytes. */
  readonly #waiting: { readonly startUs: Instant; readonly bytes: number }[] =
    [];
  #waitingBytes = 0;
  /** Frames that found the queue full. */
  dropped = 0;

  /** @throws {RangeError} for what no link has. */
  constructor(options: LinkOptions) {
    const { bitsPerSecond = Infinity, queueBytes = Infinity, delayUs = 50 } =
      options;
    requireAbove("bitsPerSecond", bitsPerSecond, 0);
    requireAbove("queueBytes", queueBytes, -1);
    requireAbove("delayUs", delayUs, 0);
    this.#bitsPerUs = bitsPerSecond / 1e6;
    this.#queueBytes = queueBytes;
    this.#delayUs = delayUs;
  }

  /** Takes a frame of so many bytes. Returns when it arrives, in whole µs; undefined when it is dropped. */
  take(bytes: number, now: Instant): Instant | undefined {
    const waiting = this.#waiting;
    while (waiting.length > 0 && waiting[0]!.startUs <= now) {
      this.#waitingBytes -= waiting.shift()!.bytes;
    }
    const startUs = Math.max(now, this.#freeAtUs);
    if (startUs > now) {
      if (this.#waitingBytes + bytes > this.#queueBytes) {
        this.dropped++;
        return undefined;
      }
      waiting.push({ startUs, bytes });
      this.#waitingBytes += bytes;
    }
    this.#freeAtUs = startUs + 8 * bytes / this.#bitsPerUs;
    return Math.ceil(this.#freeAtUs + this.#delayUs);
  }
}

function requireAbove(name: string, value: number, least: number): void {
  if (value > least) return;
  throw new RangeError(`link: ${name} is ${value}; it must be above ${least}`);
}
