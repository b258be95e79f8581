/**
 * A NIC without hardware: a {@link Driver} at one end of a wire. It keeps to a
 * mapped NIC's rules (rings, ownership, headroom) with ordinary copies, so that
 * what runs over it runs over the other.
 */

import type { Counts } from "../../caps/driver/accounts.ts";
import {
  type Batch,
  BATCH_MAX,
  EXTENT_BYTES,
  EXTENT_PAGES,
  frameAt,
  frameOffset,
  FRAMES_OFFSET,
  HEADROOM_BYTES,
  type PacketMemory,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import { CopiedPages } from "../kit/copied_pages.ts";
import type { Driver, DriverInfo, PageExchange } from "../driver.ts";
import { FrameRing } from "../kit/frame_ring.ts";
import { IdleWait } from "../kit/idle_wait.ts";
import type { WireEnd } from "./wire.ts";

/** What an emulated NIC is made of. */
export interface EmulatedOptions {
  /** Where its frames lie. */
  readonly memory: PacketMemory;
  /** The wire. The driver owns this end from now on and disposes of it. */
  readonly end: WireEnd;
  /** Hardware address: six bytes. */
  readonly mac: Uint8Array;
  /** What people call it; `emulated` by default. */
  readonly name?: string;
  /** How its packets come and go, for people. */
  readonly mode?: () => string;
  /** Frames that its rings hold, each way; a power of two, 1,024 by default. */
  readonly ringFrames?: number;
  /**
   * The largest frame that is no super-packet, in bytes, on a wire that carries
   * super-packets; all that the wire carries by default.
   */
  readonly wireBytesMax?: number;
}

/**
 * Opens a NIC at the end of a wire.
 * @throws {RangeError} when `mac` is not six bytes, or a frame of the wire does
 * not fit behind {@link HEADROOM_BYTES} into a page, or into an extent where
 * the memory has some.
 */
export function openEmulated(options: EmulatedOptions): Driver {
  return new EmulatedDriver(options);
}

/** A NIC at the end of a wire; {@link openEmulated} makes one. */
export class EmulatedDriver implements Driver {
  readonly info: DriverInfo;
  readonly pages: PageExchange;
  readonly #memory: PacketMemory;
  readonly #bytes: Uint8Array;
  readonly #end: WireEnd;
  readonly #idle = new IdleWait();
  readonly #free: FrameRing;
  readonly #sent: FrameRing;
  readonly #singleFrames: number;
  /** Bytes that a packet may have: to the end of its page or its extent. */
  readonly #roomBytes: number;
  #closed = false;
  #rxPackets = 0;
  #rxBytes = 0;
  #rxRingFull = 0;
  #txPackets = 0;
  #txBytes = 0;

  /** See {@link openEmulated}. */
  constructor(options: EmulatedOptions) {
    const { memory, end, mac } = options;
    const name = options.name ?? "emulated";
    if (mac.length !== 6) {
      throw new RangeError(
        `${name}: the hardware address has ${mac.length} bytes; it must have 6`,
      );
    }
    this.#roomBytes = roomFor(end.frameBytesMax, memory);
    if (end.frameBytesMax > this.#roomBytes) {
      throw new RangeError(
        `${name}: frames of ${end.frameBytesMax} bytes do not fit into a page; at most ${this.#roomBytes} do`,
      );
    }
    const mode = options.mode ?? (() => "in-memory wire, copies");
    this.info = {
      name,
      get mode() {
        return mode();
      },
      mac: mac.slice(),
      frameBytesMax: end.frameBytesMax,
      ...(options.wireBytesMax === undefined
        ? {}
        : { wireBytesMax: options.wireBytesMax }),
      partialChecksums: false,
    };
    this.pages = new CopiedPages(memory);
    this.#memory = memory;
    this.#singleFrames = memory.frameCount - memory.extentCount * EXTENT_PAGES;
    this.#bytes = memory.bytes;
    this.#end = end;
    this.#free = new FrameRing(options.ringFrames ?? 1024);
    this.#sent = new FrameRing(options.ringFrames ?? 1024);
    end.onArrival(() => this.#idle.wake());
  }

  get ended(): boolean {
    return this.#closed || this.#end.ended;
  }

  provide(frames: Uint32Array, count: number): number {
    this.#mustBeOpen();
    const taken = Math.min(count, frames.length, this.#free.space);
    for (let i = 0; i < taken; i++) {
      if (frames[i]! >= this.#memory.frameCount) this.#noSuchFrame(frames[i]!);
      this.#free.push(frames[i]!);
    }
    return taken;
  }

  receive(batch: Batch, max: number): number {
    this.#mustBeOpen();
    const end = this.#end;
    const limit = Math.min(max, BATCH_MAX);
    let count = 0;
    while (count < limit) {
      // An end that holds is asked once there is a frame for what it has.
      if (end.holds && this.#free.size === 0) break;
      if (end.peek() === 0) break;
      if (this.#free.size === 0) {
        end.receive(undefined, 0);
        this.#rxRingFull++;
        continue;
      }
      const start = frameOffset(this.#free.shift()) + HEADROOM_BYTES;
      const length = end.receive(this.#bytes, start);
      batch.offset[count] = start;
      batch.length[count] = length;
      batch.tagLow[count] = 0;
      batch.tagHigh[count] = 0;
      this.#rxPackets++;
      this.#rxBytes += length;
      count++;
    }
    return count;
  }

  transmit(batch: Batch, count: number): number {
    this.#mustBeOpen();
    const taken = Math.min(count, BATCH_MAX, this.#sent.space);
    for (let i = 0; i < taken; i++) {
      const start = batch.offset[i]!;
      const length = batch.length[i]!;
      const frame = frameAt(start);
      if (
        start < FRAMES_OFFSET || frame >= this.#memory.frameCount ||
        start + length > frameOffset(frame) + this.#bytesOf(frame)
      ) this.#noSuchFrame(frame);
      if (this.#end.send(this.#bytes, start, length)) {
        this.#txPackets++;
        this.#txBytes += length;
      }
      this.#sent.push(frame);
    }
    this.#end.flush();
    return taken;
  }

  reclaim(frames: Uint32Array): number {
    this.#mustBeOpen();
    const count = Math.min(frames.length, this.#sent.size);
    for (let i = 0; i < count; i++) frames[i] = this.#sent.shift();
    return count;
  }

  async wait(delayMs: number): Promise<void> {
    this.#mustBeOpen();
    this.#end.flush();
    const wanted = !this.#end.holds || this.#free.size > 0;
    if (wanted && this.#end.peek() > 0) return await this.#idle.wait(0);
    const dueMs = wanted ? this.#end.dueMs() : Infinity;
    await this.#idle.wait(Math.min(delayMs, dueMs));
  }

  wake(): void {
    this.#idle.wake();
  }

  counters(): Counts {
    return {
      "rx-packets": this.#rxPackets,
      "rx-bytes": this.#rxBytes,
      "rx-ring-full": this.#rxRingFull,
      "tx-packets": this.#txPackets,
      "tx-bytes": this.#txBytes,
      ...this.#end.counters(),
    };
  }

  /** Closes the NIC and takes its link down. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#end[Symbol.dispose]();
    this.#idle.wake();
  }

  /** Bytes of what goes under the number `frame`: a page, or an extent. */
  #bytesOf(frame: number): number {
    return frame < this.#singleFrames ? PAGE_BYTES : EXTENT_BYTES;
  }

  #mustBeOpen(): void {
    if (this.#closed) {
      throw new Error(`${this.info.name}: the driver is closed`);
    }
  }

  #noSuchFrame(frame: number): never {
    throw new RangeError(
      `${this.info.name}: no frame ${frame}, or a packet that leaves it; packet memory has ${this.#memory.frameCount} frames`,
    );
  }
}

/** Bytes behind the headroom of what frames of `frameBytesMax` are received into. */
function roomFor(frameBytesMax: number, memory: PacketMemory): number {
  const intoExtents = memory.extentCount > 0 && frameBytesMax > PAGE_BYTES;
  return (intoExtents ? EXTENT_BYTES : PAGE_BYTES) - HEADROOM_BYTES;
}
