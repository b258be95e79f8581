/**
 * What a NIC is to Sallyport: frames of packet memory go round between the
 * driver's rings and its caller. Which side holds a frame is which call it last
 * went through:
 *
 * ```
 *             provide              receive
 *   caller ───────────► driver ───────────────► caller
 *             transmit             reclaim
 *   caller ───────────► driver ───────────────► caller
 * ```
 *
 * No call blocks, and none keeps a reference to the arrays it is given.
 */

import type { Counts } from "../caps/driver/accounts.ts";
import type { Batch } from "../caps/memory/memory.ts";
import type {
  KernelMapChange,
  KernelProgram,
  SocketFilter,
} from "../caps/driver/program.ts";

/** What is known of a NIC once it is open. */
export interface DriverInfo {
  /** As a person named it: `xdp:veth0`, `pcap:trace.pcap`, `emulated`. */
  readonly name: string;
  /** How its packets come and go, for people: `AF_XDP native, copy`. */
  readonly mode: string;
  /** The interface's own hardware address: six bytes. */
  readonly mac: Uint8Array;
  /** Whether it says in front of each received packet when it arrived (caps/memory/arrival_time.ts). */
  readonly arrivalTimes?: boolean;
  /** The mask of the interface's own IPv4 network, in host byte order, where a kernel has given it one. */
  readonly netmask?: number | undefined;
  /**
   * The largest frame, Ethernet header included and VLAN tags not, in bytes:
   * each of up to two tags makes it 4 bytes longer. Where that is more than a
   * page, {@link Driver.provide} gets extents: their first frames. It changes
   * with the MTU of an interface, on which side of a page it is does not.
   */
  readonly frameBytesMax: number;
  /**
   * Whether its packets may come from this machine's own kernel with the
   * transport checksum left to hardware (a veth's do), and it is not told
   * which: false where it fills a batch's `offload`.
   */
  readonly partialChecksums: boolean;
  /**
   * What it does itself for packets that are sent, as bits: OFFLOAD_CHECKSUM and
   * `offloadsGso(GSO_…)` of caps/port/offload.ts. For a NIC that does nothing, 0 or
   * not given, checksums are completed and super-packets taken apart before.
   */
  readonly offloads?: number;
  /**
   * The largest frame that is no super-packet, in bytes, tags not counted, where
   * that is less than `frameBytesMax`. It changes with the MTU, too.
   */
  readonly wireBytesMax?: number;
}

/** A NIC that is open. Made by a function of its own module, closed by disposal. */
export interface Driver extends Disposable {
  /** What is known of the NIC. */
  readonly info: DriverInfo;

  /** How its frames become pages that can be posted, and come back. */
  readonly pages: PageExchange;

  /**
   * Hands over free frames to receive into: a prefix of `frames[0..count)`.
   * @returns how many were taken; fewer when the NIC's ring is full.
   */
  provide(frames: Uint32Array, count: number): number;

  /**
   * Takes the frames that arrived: fills `offset`, `length`, and, where the NIC
   * classifies, `tagLow` and `tagHigh` (0 and 0 otherwise) from index 0; and
   * `offload`, where it knows of checksums and segmentation.
   * @returns how many; at most `max`, itself at most `BATCH_MAX`. Each one's
   * frame is the caller's now.
   */
  receive(batch: Batch, max: number): number;

  /**
   * Sends the packets `batch[0..count)`, in order; what its `offloads` name is
   * its own work where `offload` asks for it. A packet lies within one
   * frame or extent; that frame is the driver's until {@link reclaim} gives it back.
   * @returns how many were taken; the rest is still the caller's.
   */
  transmit(batch: Batch, count: number): number;

  /**
   * Takes back frames whose packets have been sent, into `frames`.
   * @returns how many.
   */
  reclaim(frames: Uint32Array): number;

  /**
   * Resolves when frames may have arrived or space may have become free, when
   * `delayMs` have passed, or when {@link wake} was called; whichever is first.
   */
  wait(delayMs: number): Promise<void>;

  /** Ends a {@link wait} that is under way; without effect otherwise. */
  wake(): void;

  /**
   * Has {@link wait} and {@link waitHere} end when one of these descriptors is
   * readable too; in place of those before. With {@link waitHere}, or absent.
   */
  watch?(descriptors: readonly number[]): void;

  /**
   * Waits as {@link wait} does, but on this thread: no event is served meanwhile,
   * and {@link wake} does not end it.
   */
  waitHere?(delayMs: number): void;

  /**
   * Puts a classifier at the NIC itself, in place of the one before, without
   * losing a packet in between. A driver without this is classified for in
   * packet memory.
   * @throws when the NIC refuses the program; the one before stays.
   */
  classify?(program: KernelProgram): void;

  /**
   * Changes flows of the program that was given last, one after the other:
   * each packet meets every flow as it was or as it will be. Where there is
   * {@link classify}, there is this.
   * @throws when the NIC refuses a change, with those before it made.
   */
  changeFlows?(changes: readonly KernelMapChange[]): void;

  /**
   * Has the kernel keep back what this filter refuses, in place of the one
   * before, without losing a packet in between. All else arrives, and has to be
   * classified in packet memory: this never goes with {@link classify}.
   * @throws when the kernel refuses the filter; the one before stays.
   */
  admit?(filter: SocketFilter): void;

  /** Whether nothing will ever arrive again (a capture at its end, a link that is gone). */
  readonly ended: boolean;

  /**
   * Once it has ended: what was wrong with that end, in words (a capture that is
   * cut short, an interface that is gone); undefined or absent when nothing was.
   */
  readonly warning?: string | undefined;

  /**
   * Lines for whoever runs the system that were not taken yet: a setting that
   * stands in the way, and what to do about it. Absent where there never are any.
   */
  takeNotices?(): readonly string[];

  /** Counts since it was opened, by what was counted: `rx-ring-full`, `no-socket`. */
  counters(): Counts;
}

/**
 * How frames of packet memory become buffers to post, and how those are taken
 * back. A mapped NIC's pages *are* its frames; another's are copies: Frantz's
 * rule is that nobody above can tell.
 */
export interface PageExchange {
  /**
   * One buffer of `pages` pages, for the frames side by side from `frame` on,
   * ready to be posted in a transfer list. The caller made the bytes around the
   * packets clean first.
   * @throws when there are no such frames, or one of them is lent already.
   */
  lend(frame: number, pages: number): ArrayBuffer;
  /**
   * Takes back what was lent from `frame` on, when `page` is that very buffer;
   * everything else is nobody's concern. Never throws, whatever `page` is.
   * @returns how many pages it was; 0 when it was not.
   */
  accept(frame: number, page: unknown): number;
}

/** The largest frame that is no super-packet, in bytes, VLAN tags not counted: at this moment. */
export function wireBytesMaxOf(info: DriverInfo): number {
  return info.wireBytesMax ?? info.frameBytesMax;
}
