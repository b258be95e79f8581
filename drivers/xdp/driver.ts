/** AF_XDP as a driver: a mapped NIC of Linux. */

import type { Counts } from "../../caps/driver/accounts.ts";
import {
  type Batch,
  BATCH_MAX,
  type PacketMemory,
} from "../../caps/memory/memory.ts";
import type {
  KernelMapChange,
  KernelProgram,
} from "../../caps/driver/program.ts";
import type { Driver, DriverInfo, PageExchange } from "../driver.ts";
import { IdleWait } from "../kit/idle_wait.ts";
import { Notices } from "../kit/notices.ts";
import { Errno } from "../sys/abi.ts";
import type { LinkMonitor } from "../sys/link_monitor.ts";
import { MappedPages } from "../sys/mapped_pages.ts";
import type { PollSet } from "../sys/poll_set.ts";
import type { Attachment } from "./attachment.ts";
import { distribute } from "./distribute.ts";
import type { Queues } from "./queues.ts";
import type { XdpSocket } from "./socket.ts";

/** How long a wait lasts while frames are on their way out: nothing says when they are back. */
const IN_FLIGHT_MS = 1;

/**
 * From so many packets a millisecond on, a wait is a pause. A wake-up costs as
 * much as handling dozens of packets, so at such rates it is dearer to be told
 * of each few than to look again a little later; below it, nothing is held up.
 */
const BUSY_PACKETS_PER_MS = 50;

/** How long a pause lasts: a tenth of what a full ring holds at a million packets a second. */
const PAUSE_MS = 0.2;

/** What a driver is made of; it disposes of `owned`. */
export interface XdpParts {
  /** What is known of the NIC. */
  readonly info: DriverInfo;
  /** Where its packets lie. */
  readonly memory: PacketMemory;
  /** The sockets. */
  readonly queues: Queues;
  /** Whether looking for packets polls the NIC. */
  readonly busyPoll: boolean;
  /** The program. */
  readonly attachment: Attachment;
  /** Whether the interface is still there. */
  readonly monitor: LinkMonitor;
  /** Waits for the monitor, at index 0, and the sockets. */
  readonly poll: PollSet;
  /** All that is to be closed, in the reverse order of opening. */
  readonly owned: DisposableStack;
  /** Says what stands in the way as the monitor last saw the interface. */
  readonly problems: (notices: Notices) => void;
}

/** An AF_XDP driver; made by `openXdp`. */
export class XdpDriver implements Driver {
  readonly info: DriverInfo;
  readonly pages: PageExchange;

  readonly #sockets: readonly XdpSocket[];
  readonly #sender: XdpSocket;
  readonly #zeroCopy: boolean;
  readonly #busyPoll: boolean;
  readonly #attachment: Attachment;
  readonly #monitor: LinkMonitor;
  readonly #problems: (notices: Notices) => void;
  readonly #notices = new Notices();
  readonly #poll: PollSet;
  readonly #turns = new IdleWait();
  readonly #owned: DisposableStack;
  readonly #words: Uint32Array<SharedArrayBuffer>;
  /** Frames provided and not yet received, by queue. */
  readonly #provided: Uint32Array;
  readonly #shares: Uint32Array;
  #nextQueue = 0;
  #open = true;
  #offloaded = false;
  #inFlight = 0;
  #busy = false;
  /** When that was judged, and how many packets had come by then. */
  #judgedAtMs = 0;
  #packetsBefore = 0;
  #rxPackets = 0;
  #rxBytes = 0;
  #txPackets = 0;
  #txBytes = 0;
  #sendRefused = 0;
  /** The counters when it was closed. */
  #lastCounters: Counts | undefined;

  /** A driver of `parts`, all of them open. */
  constructor(parts: XdpParts) {
    this.info = parts.info;
    this.pages = new MappedPages(parts.memory);
    this.#sockets = parts.queues.sockets;
    this.#sender = parts.queues.sockets[0];
    this.#zeroCopy = parts.queues.zeroCopy;
    this.#busyPoll = parts.busyPoll;
    this.#attachment = parts.attachment;
    this.#monitor = parts.monitor;
    this.#problems = parts.problems;
    this.#words = new Uint32Array(parts.memory.bytes.buffer);
    this.#provided = new Uint32Array(this.#sockets.length);
    this.#shares = new Uint32Array(this.#sockets.length);
    this.#poll = parts.poll;
    this.#owned = parts.owned;
    this.#problems(this.#notices);
  }

  provide(frames: Uint32Array, count: number): number {
    this.#mustBeOpen();
    const shares = distribute(
      Math.min(count, frames.length),
      this.#provided,
      this.#shares,
    );
    let taken = 0;
    for (let queue = 0; queue < this.#sockets.length; queue++) {
      const socket = this.#sockets[queue]!;
      const put = socket.fill.put(frames, taken, shares[queue]!);
      this.#provided[queue] = this.#provided[queue]! + put;
      taken += put;
      if (this.#zeroCopy && socket.fill.needsWakeup) socket.wakeReceive();
    }
    return taken;
  }

  receive(batch: Batch, max: number): number {
    this.#mustBeOpen();
    const queues = this.#sockets.length;
    const limit = Math.min(max, BATCH_MAX);
    let count = 0;
    // Another queue comes first each time, so that a busy one starves no other.
    for (let turn = 0; turn < queues && count < limit; turn++) {
      const queue = this.#nextQueue;
      this.#nextQueue = queue + 1 === queues ? 0 : queue + 1;
      const socket = this.#sockets[queue]!;
      const ring = socket.receive;
      // The call runs the NIC's own poll, which fills the ring.
      if (this.#busyPoll && !ring.ready) socket.wakeReceive();
      const taken = ring.take(batch, count, limit - count);
      this.#provided[queue] = this.#provided[queue]! - taken;
      count += taken;
    }
    if (count > 0) this.#readTags(batch, count);
    return count;
  }

  transmit(batch: Batch, count: number): number {
    this.#mustBeOpen();
    const taken = this.#sender.transmit.put(batch, Math.min(count, BATCH_MAX));
    for (let n = 0; n < taken; n++) this.#txBytes += batch.length[n]!;
    this.#txPackets += taken;
    this.#inFlight += taken;
    this.#send();
    return taken;
  }

  reclaim(frames: Uint32Array): number {
    this.#mustBeOpen();
    const taken = this.#sender.completion.take(frames);
    this.#inFlight -= taken;
    // A full completion ring stops sending; now there is room again.
    if (this.#sender.transmit.pending > 0) this.#send();
    return taken;
  }

  async wait(delayMs: number): Promise<void> {
    this.#mustBeOpen();
    // One turn of the event loop, so that ports and timers are served.
    if (!(delayMs > 0)) return await this.#turns.wait(0);
    if (this.#isBusy()) {
      return await this.#poll.pause(Math.min(delayMs, PAUSE_MS));
    }
    if (this.#ready()) return await this.#turns.wait(0);
    await this.#poll.wait(this.#limited(delayMs));
    if (this.#open && this.#poll.returned(0) !== 0) this.#look();
  }

  /** How long a wait lasts at the most, with what is on its way out. */
  #limited(delayMs: number): number {
    return this.#inFlight > 0 ? Math.min(delayMs, IN_FLIGHT_MS) : delayMs;
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
    if (this.#isBusy()) {
      return this.#poll.pauseHere(Math.min(delayMs, PAUSE_MS));
    }
    this.#poll.waitHere(this.#limited(delayMs));
    if (this.#poll.returned(0) !== 0) this.#look();
  }

  classify(program: KernelProgram): void {
    this.#mustBeOpen();
    this.#attachment.exchange(program);
    this.#offloaded = true;
  }

  changeFlows(changes: readonly KernelMapChange[]): void {
    this.#mustBeOpen();
    this.#attachment.update(changes);
  }

  takeNotices(): readonly string[] {
    return this.#notices.take();
  }

  get ended(): boolean {
    return !this.#open || (this.#monitor.gone && !this.#ready());
  }

  get warning(): string | undefined {
    return this.#monitor.gone ? "the interface is gone" : undefined;
  }

  counters(): Counts {
    if (this.#lastCounters !== undefined) return this.#lastCounters;
    // A NIC that is busy never waits, and nothing tells of a number of queues.
    this.#look();
    const counts = this.#attachment.counters();
    for (const socket of this.#sockets) {
      for (const [reason, count] of socket.statistics()) {
        counts.set(reason, (counts.get(reason) ?? 0) + count);
      }
    }
    return {
      "rx-packets": this.#rxPackets,
      "rx-bytes": this.#rxBytes,
      "tx-packets": this.#txPackets,
      "tx-bytes": this.#txBytes,
      "send-refused": this.#sendRefused,
      "interface-gone": this.#monitor.gone ? 1 : 0,
      "interface-down": this.#monitor.downs,
      ...Object.fromEntries(counts),
    };
  }

  /** Takes the program off the interface, and closes everything. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#lastCounters = this.counters();
    this.#open = false;
    // First the program: the kernel has its packets back before a socket goes.
    this.#attachment[Symbol.dispose]();
    this.#owned.dispose();
  }

  /**
   * The tag lies in the eight bytes in front of the packet, low half first. A
   * program never redirects without writing it, so where one is offloaded,
   * there is a tag; it is still only a hint.
   */
  #readTags(batch: Batch, count: number): void {
    const { offset, length, tagLow, tagHigh } = batch;
    const words = this.#words;
    let bytes = 0;
    for (let n = 0; n < count; n++) {
      // The kernel puts packets at multiples of 256 bytes from their page's start.
      const word = offset[n]! >>> 2;
      tagLow[n] = this.#offloaded ? words[word - 2]! : 0;
      tagHigh[n] = this.#offloaded ? words[word - 1]! : 0;
      bytes += length[n]!;
    }
    this.#rxPackets += count;
    this.#rxBytes += bytes;
  }

  /**
   * Has the kernel send what is in the transmit ring. Copying, it takes 32
   * packets a call (16 before Linux 5.15) and answers EAGAIN when there are
   * more; it also does when the completion ring is full or the NIC is busy, and
   * then nothing moves: the rest goes with the next call.
   */
  #send(): void {
    const { transmit } = this.#sender;
    if (this.#zeroCopy && !transmit.needsWakeup) return;
    for (let before = transmit.pending; before > 0;) {
      const failed = this.#sender.kick();
      const left = transmit.pending;
      if (left === before) {
        if (failed !== 0 && failed !== Errno.EAGAIN) this.#sendRefused++;
        return;
      }
      if (this.#zeroCopy) return;
      before = left;
    }
  }

  /** Whether packets come so fast that a pause is due; judged each millisecond. */
  #isBusy(): boolean {
    const now = performance.now();
    const spanMs = now - this.#judgedAtMs;
    if (spanMs >= 1) {
      const packets = this.#rxPackets - this.#packetsBefore;
      this.#busy = packets >= spanMs * BUSY_PACKETS_PER_MS;
      this.#packetsBefore = this.#rxPackets;
      this.#judgedAtMs = now;
    }
    return this.#busy;
  }

  #look(): void {
    this.#monitor.look();
    this.#problems(this.#notices);
  }

  #ready(): boolean {
    for (let queue = 0; queue < this.#sockets.length; queue++) {
      if (this.#sockets[queue]!.receive.ready) return true;
    }
    return false;
  }

  /** The rings are no more once it is closed: to touch them would end the process. */
  #mustBeOpen(): void {
    if (!this.#open) throw new Error(`${this.info.name} is closed`);
  }
}
