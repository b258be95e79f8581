/**
 * Faults around any driver, on purpose and with a seed: loss, duplication,
 * reordering, corruption, truncation. The same seed and the same frames give the
 * same faults.
 */

import type { Counts } from "../../caps/driver/accounts.ts";
import type { WireFaults } from "../../caps/driver/wire_faults.ts";
import {
  type Batch,
  BATCH_MAX,
  type PacketMemory,
  privateBatch,
} from "../../caps/memory/memory.ts";
import type { Driver } from "../driver.ts";
import { FaultLane } from "./fault_lane.ts";
import { ForwardingDriver } from "./forwarding.ts";

/** Faults of both directions. */
export interface FaultOptions {
  /** Where the driver's frames lie. */
  readonly memory: PacketMemory;
  /** A whole number; equal seeds give equal faults. */
  readonly seed: number;
  /** What happens to frames that arrive; nothing by default. */
  readonly receive?: WireFaults;
  /** What happens to frames that are sent; nothing by default. */
  readonly transmit?: WireFaults;
}

/** Frames kept back from what is provided, to put duplicates into. */
const STOCK_MAX = 4;

/**
 * Puts faults around `driver`, counted as `rx-fault-lost`, `fault-rx-corrupted`
 * and so on (what is lost begins with `rx-` or `tx-`, what only changes with
 * `fault-`). Up to {@link STOCK_MAX} of the frames that are provided are kept
 * for duplicates where those are asked for.
 * @throws {RangeError} when a rate is not from 0 to 1.
 */
export function faultyDriver(driver: Driver, options: FaultOptions): Driver {
  return new FaultyDriver(driver, options);
}

class FaultyDriver extends ForwardingDriver {
  readonly #arriving: FaultLane;
  readonly #leaving: FaultLane;
  readonly #batch: Batch = privateBatch();
  readonly #one = new Uint32Array(1);
  readonly #back = new Uint32Array(BATCH_MAX);
  /** Frames for duplicates: ours, though the caller gave them for receiving. */
  readonly #stock: number[] = [];
  readonly #stockMax: number;
  /** Frames of lost arrivals, to be provided again. */
  readonly #unused: number[] = [];
  /** Frames of lost departures, to be reclaimed. */
  readonly #lost: number[] = [];
  /** 1 for a frame of ours that carries a duplicate out. */
  readonly #ours: Uint8Array;
  #closed = false;

  constructor(driver: Driver, options: FaultOptions) {
    super(driver, `${driver.info.mode}, with faults`);
    const { memory, seed } = options;
    this.#arriving = new FaultLane(memory, seed, options.receive ?? {});
    this.#leaving = new FaultLane(memory, ~seed, options.transmit ?? {});
    const copies = this.#arriving.duplicates || this.#leaving.duplicates;
    this.#stockMax = copies ? STOCK_MAX : 0;
    this.#ours = new Uint8Array(memory.frameCount);
  }

  override get ended(): boolean {
    return this.#closed ||
      this.inner.ended && this.#arriving.ready === 0 &&
        this.#arriving.held === 0;
  }

  override provide(frames: Uint32Array, count: number): number {
    this.#mustBeOpen();
    this.#provideUnused();
    let kept = 0;
    while (kept < count && this.#stock.length < this.#stockMax) {
      this.#stock.push(frames[kept++]!);
    }
    if (kept === count) return kept;
    return kept + this.inner.provide(frames.subarray(kept), count - kept);
  }

  /** A frame whose packet was lost goes back to receive into. */
  #provideUnused(): void {
    while (this.#unused.length > 0) {
      const frame = this.#unused.at(-1)!;
      if (this.#stock.length < this.#stockMax) this.#stock.push(frame);
      else {
        this.#one[0] = frame;
        if (this.inner.provide(this.#one, 1) === 0) return;
      }
      this.#unused.pop();
    }
  }

  override receive(batch: Batch, max: number): number {
    this.#mustBeOpen();
    this.#provideUnused();
    const lane = this.#arriving;
    const limit = Math.min(max, BATCH_MAX);
    const room = limit - lane.ready;
    if (room > 0) {
      const count = this.inner.receive(this.#batch, room);
      for (let i = 0; i < count; i++) {
        const lost = lane.pass(this.#batch, i, this.#stock);
        if (lost >= 0) this.#unused.push(lost);
      }
      // With nothing behind it, what was held back is as late as it gets.
      if (count === 0) lane.release();
    }
    return lane.take(batch, limit);
  }

  override transmit(batch: Batch, count: number): number {
    this.#mustBeOpen();
    this.#push();
    const lane = this.#leaving;
    let taken = 0;
    // Each packet makes at most two; what the NIC has no room for waits here.
    while (taken < Math.min(count, BATCH_MAX) && lane.ready < BATCH_MAX) {
      const lost = lane.pass(batch, taken, this.#stock, this.#ours);
      if (lost >= 0) this.#lost.push(lost);
      taken++;
    }
    this.#push();
    return taken;
  }

  /** Sends what the lane has ready, as far as the NIC takes it. */
  #push(): void {
    for (;;) {
      const count = this.#leaving.copy(this.#batch, BATCH_MAX);
      if (count === 0) return;
      const taken = this.inner.transmit(this.#batch, count);
      this.#leaving.drop(taken);
      if (taken < count) return;
    }
  }

  override reclaim(frames: Uint32Array): number {
    this.#mustBeOpen();
    let count = 0;
    while (count < frames.length && this.#lost.length > 0) {
      frames[count++] = this.#lost.pop()!;
    }
    const room = Math.min(frames.length - count, this.#back.length);
    const back = this.inner.reclaim(this.#back.subarray(0, room));
    for (let i = 0; i < back; i++) {
      const frame = this.#back[i]!;
      if (this.#ours[frame] === 1) {
        this.#ours[frame] = 0;
        this.#unused.push(frame);
      } else frames[count++] = frame;
    }
    this.#leaving.release();
    this.#push();
    return count;
  }

  override async wait(delayMs: number): Promise<void> {
    await this.inner.wait(this.#isDue() ? 0 : delayMs);
  }

  protected override waitOnThread(delayMs: number): void {
    if (!this.#isDue()) super.waitOnThread(delayMs);
  }

  /** Before a wait: lets go what leaves, and says whether something is about to arrive. */
  #isDue(): boolean {
    this.#mustBeOpen();
    this.#leaving.release();
    this.#push();
    return this.#arriving.ready + this.#arriving.held > 0;
  }

  override counters(): Counts {
    return {
      ...this.inner.counters(),
      ...this.#arriving.counters("rx"),
      ...this.#leaving.counters("tx"),
    };
  }

  override [Symbol.dispose](): void {
    this.#closed = true;
    this.inner[Symbol.dispose]();
  }

  #mustBeOpen(): void {
    if (this.#closed) {
      throw new Error(`${this.info.name}: the driver is closed`);
    }
  }
}
