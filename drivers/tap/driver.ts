/** A TAP or a TUN as a driver: this machine's own kernel is at the far end. */

import type { Counts } from "../../caps/driver/accounts.ts";
import {
  type Batch,
  BATCH_MAX,
  frameAt,
  frameOffset,
  HEADROOM_BYTES,
  type PacketMemory,
} from "../../caps/memory/memory.ts";
import type { Driver, DriverInfo, PageExchange } from "../driver.ts";
import { FrameRing } from "../kit/frame_ring.ts";
import { IdleWait } from "../kit/idle_wait.ts";
import { Notices } from "../kit/notices.ts";
import { isTooLong } from "../kit/vlan_tags.ts";
import {
  UNREADABLE,
  VIRTIO_HEADER_BYTES,
  VirtioHeaders,
} from "../segment/virtio_header.ts";
import { Errno } from "../sys/abi.ts";
import { errno } from "../sys/libc.ts";
import type { LinkMonitor } from "../sys/link_monitor.ts";
import { MappedPages } from "../sys/mapped_pages.ts";
import type { PollSet } from "../sys/poll_set.ts";
import type { LinkLayer } from "./link_layer.ts";
import { isInFrames, PacketIo } from "./packet_io.ts";

/** What a driver is made of; it disposes of `owned`. */
export interface TapParts {
  /** What is known of the NIC. */
  readonly info: DriverInfo;
  /** Where its packets lie. */
  readonly memory: PacketMemory;
  /** The queues. */
  readonly descriptors: readonly number[];
  /** Bytes of the virtio header in front of each packet. */
  readonly headerBytes: number;
  /** For a TUN: the Ethernet header that its packets have here only. */
  readonly link: LinkLayer | undefined;
  /** Whether the interface is still there. */
  readonly monitor: LinkMonitor;
  /** Waits for the monitor, at index 0, and the queues. */
  readonly poll: PollSet;
  /** All that is to be closed, in the reverse order of opening. */
  readonly owned: DisposableStack;
  /** Bytes from a frame's, or an extent's, first to its last. */
  readonly frameRoomBytes: number;
  readonly ringFrames: number;
  /** Says what stands in the way as the monitor last saw the interface. */
  readonly problems: (notices: Notices) => void;
}

/** A TAP's driver; made by `openTap`. */
export class TapDriver implements Driver {
  readonly info: DriverInfo;
  readonly pages: PageExchange;
  readonly #parts: TapParts;
  readonly #io: PacketIo;
  readonly #headers: VirtioHeaders;
  readonly #linkBytes: number;
  readonly #roomBytes: number;
  readonly #free: FrameRing;
  readonly #sent: FrameRing;
  readonly #turns = new IdleWait();
  readonly #notices = new Notices();
  readonly #counts = {
    "rx-packets": 0,
    "rx-bytes": 0,
    "rx-too-large": 0,
    "rx-bad-header": 0,
    "rx-not-ip": 0,
    "tx-packets": 0,
    "tx-bytes": 0,
    "tx-not-ip": 0,
    "tx-refused": 0,
  };
  /** The frame that is read into next; -1 when none is. */
  #next = -1;
  #nextQueue = 0;
  #open = true;

  /** A driver of `parts`, all of them open. */
  constructor(parts: TapParts) {
    this.#parts = parts;
    this.info = parts.info;
    this.pages = new MappedPages(parts.memory);
    this.#io = new PacketIo(parts.memory, parts.headerBytes);
    this.#headers = new VirtioHeaders(parts.memory);
    this.#linkBytes = parts.link?.headerBytes ?? 0;
    this.#roomBytes = parts.frameRoomBytes - HEADROOM_BYTES - this.#linkBytes;
    this.#free = new FrameRing(parts.ringFrames);
    this.#sent = new FrameRing(parts.ringFrames);
  }

  provide(frames: Uint32Array, count: number): number {
    this.#mustBeOpen();
    const taken = Math.min(count, frames.length, this.#free.space);
    for (let i = 0; i < taken; i++) this.#free.push(frames[i]!);
    return taken;
  }

  receive(batch: Batch, max: number): number {
    this.#mustBeOpen();
    const { descriptors } = this.#parts;
    const limit = Math.min(max, BATCH_MAX);
    let count = 0;
    // Another queue comes first each time, so that a busy one starves no other.
    for (let n = 0; n < descriptors.length && count < limit; n++) {
      const queue = this.#nextQueue;
      this.#nextQueue = queue + 1 === descriptors.length ? 0 : queue + 1;
      count = this.#receiveFrom(descriptors[queue]!, batch, count, limit);
    }
    return count;
  }

  #receiveFrom(
    descriptor: number,
    batch: Batch,
    from: number,
    limit: number,
  ): number {
    let count = from;
    while (count < limit && this.#takeFrame()) {
      const start = frameOffset(this.#next) + HEADROOM_BYTES;
      const packetAt = start + this.#linkBytes;
      const got = this.#io.read(descriptor, packetAt, this.#roomBytes);
      if (got < 0) break;
      const length = this.#linkBytes + got;
      if (!this.#accept(batch, count, start, length)) continue;
      this.#counts["rx-packets"]++;
      this.#counts["rx-bytes"] += length;
      this.#next = -1;
      count++;
    }
    return count;
  }

  /** Enters what was read into the batch; false, counted, when it is no good. */
  #accept(batch: Batch, at: number, start: number, length: number): boolean {
    const packetBytes = length - this.#linkBytes;
    const longest = this.info.frameBytesMax;
    if (
      packetBytes >= this.#roomBytes ||
      isTooLong(longest, this.#parts.memory.bytes, start, length)
    ) {
      // The kernel cuts off what does not fit without a word.
      this.#counts["rx-too-large"]++;
      return false;
    }
    const { link } = this.#parts;
    if (packetBytes === 0 || link?.put(start, length) === false) {
      this.#counts["rx-not-ip"]++;
      return false;
    }
    const base = start + this.#linkBytes;
    const { header } = this.#io;
    const offload = this.#headers.read(header, 0, start, length, base);
    if (offload === UNREADABLE) {
      this.#counts["rx-bad-header"]++;
      return false;
    }
    batch.offset[at] = start;
    batch.length[at] = length;
    batch.tagLow[at] = 0;
    batch.tagHigh[at] = 0;
    batch.offload[at] = offload;
    return true;
  }

  /** Whether there is a frame to read into. */
  #takeFrame(): boolean {
    if (this.#next >= 0) return true;
    if (this.#free.size === 0) return false;
    this.#next = this.#free.shift();
    return true;
  }

  transmit(batch: Batch, count: number): number {
    this.#mustBeOpen();
    const most = Math.min(count, BATCH_MAX, this.#sent.space);
    for (let i = 0; i < most; i++) {
      const start = batch.offset[i]!;
      const length = batch.length[i]!;
      if (!isInFrames(this.#parts.memory, start, length)) {
        throw new RangeError(`${this.info.name}: a packet outside all frames`);
      }
      if (!this.#send(start, length, batch.offload[i]!)) return i;
      this.#sent.push(frameAt(start));
    }
    return most;
  }

  /** False when the kernel has no room now; what it refuses is counted, and over. */
  #send(start: number, length: number, offload: number): boolean {
    const { link, descriptors } = this.#parts;
    if (link !== undefined && !link.isIp(start, length)) {
      this.#counts["tx-not-ip"]++;
      return true;
    }
    const base = start + this.#linkBytes;
    this.#headers.write(offload, this.#io.header, 0, start, length, base);
    // What the kernel wrote behind the header's known part is not said back.
    this.#io.header.fill(0, VIRTIO_HEADER_BYTES);
    const packetBytes = length - this.#linkBytes;
    if (this.#io.write(descriptors[0]!, base, packetBytes)) {
      this.#counts["tx-packets"]++;
      this.#counts["tx-bytes"] += length;
      return true;
    }
    const failed = errno();
    if (failed === Errno.EAGAIN || failed === Errno.ENOBUFS) return false;
    this.#counts["tx-refused"]++;
    return true;
  }

  reclaim(frames: Uint32Array): number {
    this.#mustBeOpen();
    const count = Math.min(frames.length, this.#sent.size);
    for (let i = 0; i < count; i++) frames[i] = this.#sent.shift();
    return count;
  }

  async wait(delayMs: number): Promise<void> {
    this.#mustBeOpen();
    // One turn of the event loop, so that ports and timers are served.
    if (!(delayMs > 0)) return await this.#turns.wait(0);
    const { poll } = this.#parts;
    // Without a frame to read into, an arrival changes nothing.
    if (this.#next < 0 && this.#free.size === 0) {
      return await poll.pause(delayMs);
    }
    await poll.wait(delayMs);
    if (this.#open && poll.returned(0) !== 0) this.#look();
  }

  wake(): void {
    if (this.#open) this.#parts.poll.wake();
  }

  watch(descriptors: readonly number[]): void {
    this.#parts.poll.watch(descriptors);
  }

  waitHere(delayMs: number): void {
    this.#mustBeOpen();
    if (!(delayMs > 0) || this.#next < 0 && this.#free.size === 0) return;
    const { poll } = this.#parts;
    poll.waitHere(delayMs);
    if (poll.returned(0) !== 0) this.#look();
  }

  get ended(): boolean {
    return !this.#open || this.#parts.monitor.gone;
  }

  get warning(): string | undefined {
    return this.#parts.monitor.gone ? "the interface is gone" : undefined;
  }

  takeNotices(): readonly string[] {
    return this.#notices.take();
  }

  counters(): Counts {
    // A NIC that is busy never waits.
    if (this.#open) this.#look();
    return {
      ...this.#counts,
      "interface-gone": this.#parts.monitor.gone ? 1 : 0,
    };
  }

  /** Closes it, and removes an interface that was made for it. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#parts.owned.dispose();
  }

  #look(): void {
    this.#parts.monitor.look();
    this.#parts.problems(this.#notices);
  }

  #mustBeOpen(): void {
    if (!this.#open) throw new Error(`${this.info.name} is closed`);
  }
}
