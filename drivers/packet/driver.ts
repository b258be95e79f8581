/**
 * AF_PACKET as a driver: for interfaces and kernels without XDP.
 *
 * The kernel keeps its own copy of every packet, and goes on as if nobody
 * listened. What follows from that:
 *
 * - *Owners* own a packet among Sallyport's holders only. A packet to one of
 *   the kernel's addresses reaches the kernel too, which answers it as well: with
 *   a reset, or an ICMP error, where nobody of its own listens. So services have
 *   an IP and an Ethernet address of their own; a frame to an Ethernet address
 *   that is not the interface's the kernel drops by itself (PACKET_OTHERHOST).
 * - *Observers* can see what is the kernel's, which XDP cannot give them: but
 *   only what arrives, not what this machine sends.
 * - Nothing can be kept from the kernel: unclaimed packets cannot be dropped.
 *
 * What a kernel hands over in one piece (TSO over a veth, GRO) becomes frames
 * again as it leaves the ring: segments.ts says why.
 *
 * One socket: the driver is one worker, and several sockets of a fanout group
 * would be read by the same one.
 *
 * A packet is copied twice, into the ring and from there into a frame of packet
 * memory, and lies up to a millisecond in a block that is not full. XDP does
 * neither.
 */

import type { Counts } from "../../caps/driver/accounts.ts";
import {
  type Batch,
  BATCH_MAX,
  frameAt,
  FRAMES_OFFSET,
  type PacketMemory,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import type { SocketFilter } from "../../caps/driver/program.ts";
import type { Driver, DriverInfo, PageExchange } from "../driver.ts";
import { FrameRing } from "../kit/frame_ring.ts";
import { IdleWait } from "../kit/idle_wait.ts";
import { Notices } from "../kit/notices.ts";
import { POLLERR } from "../sys/abi.ts";
import type { LinkMonitor } from "../sys/link_monitor.ts";
import { MappedPages } from "../sys/mapped_pages.ts";
import type { PollSet } from "../sys/poll_set.ts";
import type { BlockRing } from "./block_ring.ts";
import type { Sender } from "./sender.ts";
import type { PacketSocket } from "./socket.ts";

/** How long a wait lasts while packets are left to send: nothing says when there is room. */
const BLOCKED_MS = 1;

/** Index of each in the poll set. */
const MONITOR = 0, SOCKET = 1;

/** What a driver is made of; it disposes of `owned`. */
export interface PacketParts {
  /** What is known of the NIC. */
  readonly info: DriverInfo;
  /** Where its packets lie. */
  readonly memory: PacketMemory;
  /** The socket. */
  readonly socket: PacketSocket;
  /** What arrives at it. */
  readonly ring: BlockRing;
  /** What leaves through it. */
  readonly sender: Sender;
  /** Frames that may be provided, and that may be sent and not yet reclaimed: a power of two. */
  readonly ringEntries: number;
  /** Whether the interface is still there. */
  readonly monitor: LinkMonitor;
  /** Waits for the monitor and the socket. */
  readonly poll: PollSet;
  /** All that is to be closed, in the reverse order of opening. */
  readonly owned: DisposableStack;
  /** Says what stands in the way as the monitor last saw the interface. */
  readonly problems: (notices: Notices) => void;
}

/** An AF_PACKET driver; made by `openPacket`. */
export class PacketDriver implements Driver {
  readonly info: DriverInfo;
  readonly pages: PageExchange;

  readonly #memory: PacketMemory;
  readonly #socket: PacketSocket;
  readonly #ring: BlockRing;
  readonly #sender: Sender;
  readonly #monitor: LinkMonitor;
  readonly #problems: (notices: Notices) => void;
  readonly #notices = new Notices();
  readonly #poll: PollSet;
  readonly #owned: DisposableStack;
  readonly #turns = new IdleWait();
  /** Frames to receive into. */
  readonly #free: FrameRing;
  /** Frames whose packets the kernel has copied. */
  readonly #sent: FrameRing;
  #open = true;
  #rxPackets = 0;
  #rxBytes = 0;
  #txPackets = 0;
  #txBytes = 0;
  /** The counters when it was closed. */
  #lastCounters: Counts | undefined;

  /** A driver of `parts`, all of them open. */
  constructor(parts: PacketParts) {
    this.info = parts.info;
    this.pages = new MappedPages(parts.memory);
    this.#memory = parts.memory;
    this.#socket = parts.socket;
    this.#ring = parts.ring;
    this.#sender = parts.sender;
    this.#monitor = parts.monitor;
    this.#problems = parts.problems;
    this.#poll = parts.poll;
    this.#owned = parts.owned;
    this.#free = new FrameRing(parts.ringEntries);
    this.#sent = new FrameRing(parts.ringEntries);
  }

  provide(frames: Uint32Array, count: number): number {
    this.#mustBeOpen();
    const taken = Math.min(count, frames.length, this.#free.space);
    for (let n = 0; n < taken; n++) {
      const frame = frames[n]!;
      if (frame >= this.#memory.frameCount) notOurs(frame);
      this.#free.push(frame);
    }
    return taken;
  }

  receive(batch: Batch, max: number): number {
    this.#mustBeOpen();
    const count = this.#ring.take(batch, Math.min(max, BATCH_MAX), this.#free);
    for (let n = 0; n < count; n++) this.#rxBytes += batch.length[n]!;
    this.#rxPackets += count;
    return count;
  }

  transmit(batch: Batch, count: number): number {
    this.#mustBeOpen();
    const room = Math.min(count, BATCH_MAX, this.#sent.space);
    this.#check(batch, room);
    const refusedBefore = this.#sender.refused + this.#sender.noBuffers;
    const done = room === 0 ? 0 : this.#sender.send(batch, room);
    const refused = this.#sender.refused + this.#sender.noBuffers -
      refusedBefore;
    for (let n = 0; n < done; n++) {
      this.#sent.push(frameAt(batch.offset[n]!));
      this.#txBytes += batch.length[n]!;
    }
    this.#txPackets += done - refused;
    return done;
  }

  reclaim(frames: Uint32Array): number {
    this.#mustBeOpen();
    const taken = Math.min(frames.length, this.#sent.size);
    for (let n = 0; n < taken; n++) frames[n] = this.#sent.shift();
    return taken;
  }

  async wait(delayMs: number): Promise<void> {
    this.#mustBeOpen();
    // One turn of the event loop, so that ports and timers are served. With
    // packets here and no frame for them, only the caller can go on.
    if (!(delayMs > 0) || this.#ready()) return await this.#turns.wait(0);
    const held = this.#sender.blocked || this.#free.size === 0;
    const limit = held ? Math.min(delayMs, BLOCKED_MS) : delayMs;
    if (this.#free.size === 0) await this.#poll.pause(limit);
    else await this.#poll.wait(limit);
    if (this.#open) this.#look();
  }

  /** Whether a call would do something now. */
  #ready(): boolean {
    return this.#free.size > 0 && this.#ring.ready || this.#sent.size > 0;
  }

  wake(): void {
    if (this.#open) this.#poll.wake();
  }

  watch(descriptors: readonly number[]): void {
    this.#poll.watch(descriptors);
  }

  waitHere(delayMs: number): void {
    this.#mustBeOpen();
    if (!(delayMs > 0) || this.#ready()) return;
    // Without a frame for them, packets that are here would end each wait at once.
    if (this.#free.size === 0) return;
    const limit = this.#sender.blocked
      ? Math.min(delayMs, BLOCKED_MS)
      : delayMs;
    this.#poll.waitHere(limit);
    this.#look();
  }

  admit(filter: SocketFilter): void {
    this.#mustBeOpen();
    this.#socket.admit(filter);
  }

  takeNotices(): readonly string[] {
    return this.#notices.take();
  }

  get ended(): boolean {
    return !this.#open || (this.#monitor.gone && !this.#ring.ready);
  }

  get warning(): string | undefined {
    return this.#monitor.gone ? "the interface is gone" : undefined;
  }

  counters(): Counts {
    if (this.#lastCounters !== undefined) return this.#lastCounters;
    // A NIC that is busy never waits.
    this.#lookAtLink();
    const { ringFull, freezes } = this.#socket.statistics();
    return {
      "rx-packets": this.#rxPackets,
      "rx-bytes": this.#rxBytes,
      "tx-packets": this.#txPackets,
      "tx-bytes": this.#txBytes,
      "rx-ring-full": ringFull,
      "rx-super-packets": this.#ring.superPackets,
      "rx-too-long": this.#ring.tooLong,
      "rx-bad-header": this.#ring.badHeader,
      "tx-refused": this.#sender.refused,
      "tx-no-buffers": this.#sender.noBuffers,
      "ring-freezes": freezes,
      "interface-gone": this.#monitor.gone ? 1 : 0,
      "interface-down": this.#monitor.downs,
    };
  }

  /** Closes everything; the interface is as it was. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#lastCounters = this.counters();
    this.#open = false;
    this.#owned.dispose();
  }

  /** What a poll has found besides packets. */
  #look(): void {
    if (this.#poll.returned(MONITOR) !== 0) this.#lookAtLink();
    // The link went down, or the interface away. Packets come again once it is
    // up, but an error that is not taken ends every poll at once.
    if ((this.#poll.returned(SOCKET) & POLLERR) !== 0) this.#socket.takeError();
  }

  #lookAtLink(): void {
    this.#monitor.look();
    this.#problems(this.#notices);
  }

  /** The kernel reads from any address that it is told: only packets in packet memory go there. */
  #check(batch: Batch, count: number): void {
    const end = FRAMES_OFFSET + this.#memory.frameCount * PAGE_BYTES;
    for (let n = 0; n < count; n++) {
      const offset = batch.offset[n]!;
      const length = batch.length[n]!;
      if (offset < FRAMES_OFFSET || length === 0 || offset + length > end) {
        notOurs(frameAt(offset));
      }
    }
  }

  /** The ring is no more once it is closed: to touch it would end the process. */
  #mustBeOpen(): void {
    if (!this.#open) throw new Error(`${this.info.name} is closed`);
  }
}

function notOurs(frame: number): never {
  throw new RangeError(
    `frame ${frame} is not one of this NIC's, or its packet is empty or leaves it`,
  );
}
