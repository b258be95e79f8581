/** The end of a wire at whose far side a capture is read and another written. */

import type { Counts } from "../../caps/driver/accounts.ts";
import { copyBytes, type WireEnd } from "../emulated/wire.ts";
import { CaptureError } from "../capture/byte_source.ts";
import {
  type CapturePacket,
  type CaptureReader,
  emptyPacket,
  LINK_ETHERNET,
} from "../capture/packet.ts";
import { setTime, WallClock } from "../capture/wall_clock.ts";
import type { CaptureWriter } from "../capture/writer.ts";

/** What a replay is made of. */
export interface ReplayOptions {
  readonly reader: CaptureReader;
  /** Takes what is sent; that is dropped by default. */
  readonly writer: CaptureWriter | undefined;
  readonly frameBytesMax: number;
  /** Whether a frame arrives no sooner than it did when it was captured. */
  readonly paced: boolean;
  /** Microseconds of a monotonic clock. */
  readonly now: () => number;
}

/** How late a packet may be received that is still made up for: threads come and go. */
const LATE_US_MAX = 100_000;

/** Frames arrive from `reader`, one read ahead, and leave to `writer`. */
export class ReplayEnd implements WireEnd {
  readonly frameBytesMax: number;
  readonly holds = true;
  /** The files behind it, closed when it is. */
  files: Disposable | undefined;
  /** LINKTYPE_… of the first packet; undefined when there is none. */
  readonly firstLinkType: number | undefined;
  readonly #reader: CaptureReader;
  readonly #writer: CaptureWriter | undefined;
  readonly #now: () => number;
  readonly #paced: boolean;
  /** What is added to a packet's time to get the clock's, in microseconds; undefined before a frame could be received. */
  #shiftUs: number | undefined;
  /** The second at which packets' times count from: those since 1970 are too large. */
  readonly #epochSeconds: number;
  /** The latest time of a packet that was received, as {@link #lateUs} counts it. */
  #reachedUs = -Infinity;
  readonly #leaving = emptyPacket();
  readonly #clock = new WallClock();
  #next: CapturePacket | undefined;
  #failure: string | undefined;
  #closed = false;
  #oversize = 0;
  #empty = 0;
  #otherLink = 0;
  #cutShort = 0;
  #late = 0;
  #writeFailed = 0;
  #writeFailure: string | undefined;

  constructor(options: ReplayOptions) {
    this.frameBytesMax = options.frameBytesMax;
    this.#reader = options.reader;
    this.#writer = options.writer;
    this.#now = options.now;
    this.#paced = options.paced;
    const first = this.#read();
    this.firstLinkType = first?.linkType;
    this.#epochSeconds = first?.seconds ?? 0;
    this.#next = first;
    this.#skipUnusable();
  }

  /** Whether the capture was broken, rather than only cut short. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** What was wrong with the capture, or with writing one, in words. */
  get warning(): string | undefined {
    return this.#failure ?? this.#reader.warning ?? this.#writeFailure;
  }

  get ended(): boolean {
    return this.#closed || this.#next === undefined;
  }

  send(bytes: Uint8Array, start: number, length: number): boolean {
    if (this.#writer === undefined) return true;
    if (this.#writeFailure !== undefined) {
      this.#writeFailed++;
      return false;
    }
    const packet = this.#leaving;
    packet.bytes = bytes;
    packet.start = start;
    packet.length = length;
    packet.originalLength = length;
    setTime(packet, this.#clock.nowUs());
    packet.direction = 2;
    try {
      this.#writer.write(packet);
      return true;
    } catch (error) {
      this.#stopWriting(error as Error);
      return false;
    }
  }

  flush(): void {
    if (this.#writeFailure !== undefined) return;
    try {
      this.#writer?.flush();
    } catch (error) {
      this.#stopWriting(error as Error);
    }
  }

  /** A disk that is full ends the writing, never the traffic. */
  #stopWriting(error: Error): void {
    this.#writeFailure = `writing stopped: ${error.message}`;
    this.#writeFailed++;
  }

  peek(): number {
    return this.dueMs() > 0 ? 0 : this.#next!.length;
  }

  dueMs(): number {
    const next = this.#next;
    if (next === undefined || this.#closed) return Infinity;
    return this.#paced ? Math.max(0, -this.#lateUs(next) / 1000) : 0;
  }

  /** How long the next packet is waited for by now; 0 when there is none, or the clock has not started. */
  get waitMs(): number {
    if (this.#shiftUs === undefined || this.#next === undefined) return 0;
    return Math.max(0, -this.#lateUs(this.#next) / 1000);
  }

  /**
   * How long ago the packet was due. The clock starts with the first packet that
   * there is a frame for: whoever receives may begin long after the file was opened.
   */
  #lateUs(packet: CapturePacket): number {
    const nowUs = this.#now();
    const timeUs = this.#timeUs(packet);
    this.#shiftUs ??= nowUs - timeUs;
    // A packet from before the one in front of it is due with that.
    return nowUs - Math.max(timeUs, this.#reachedUs) - this.#shiftUs;
  }

  /** Microseconds from the first packet's second to this one. */
  #timeUs({ seconds, nanoseconds }: CapturePacket): number {
    return (seconds - this.#epochSeconds) * 1e6 + nanoseconds / 1000;
  }

  /** After a pause of the receiver the capture goes on as it was: lateness is not made up in a burst. */
  #shiftLate(packet: CapturePacket): void {
    if (!this.#paced) return;
    const lateUs = this.#lateUs(packet);
    this.#reachedUs = Math.max(this.#reachedUs, this.#timeUs(packet));
    if (lateUs <= LATE_US_MAX) return;
    this.#shiftUs! += lateUs;
    this.#late++;
  }

  receive(into: Uint8Array | undefined, start: number): number {
    const packet = this.#next;
    if (packet === undefined) throw new Error("capture: received past its end");
    this.#shiftLate(packet);
    const length = packet.length;
    if (into !== undefined) {
      copyBytes(packet.bytes, packet.start, length, into, start);
    }
    if (length < packet.originalLength) this.#cutShort++;
    this.#next = this.#read();
    this.#skipUnusable();
    return length;
  }

  onArrival(): void {
    // Frames come due; who waits asks when.
  }

  counters(): Counts {
    return {
      "rx-oversize": this.#oversize,
      "rx-empty": this.#empty,
      "rx-link-type": this.#otherLink,
      "capture-cut-short": this.#cutShort,
      "rx-late": this.#late,
      "capture-odd-field": this.#reader.oddities.count,
      "tx-write-failed": this.#writeFailed,
    };
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    this.files?.[Symbol.dispose]();
  }

  #read(): CapturePacket | undefined {
    try {
      return this.#reader.next();
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      this.#failure = error.message;
      return undefined;
    }
  }

  /** Passes over what cannot arrive on an Ethernet NIC. */
  #skipUnusable(): void {
    for (; this.#next !== undefined; this.#next = this.#read()) {
      if (this.#next.linkType !== LINK_ETHERNET) this.#otherLink++;
      else if (this.#next.length === 0) this.#empty++;
      else if (this.#next.length > this.frameBytesMax) this.#oversize++;
      else return;
    }
  }
}
