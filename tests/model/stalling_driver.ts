/** The emulated NIC, which can be told to keep what it is to send, and to look like another one. */

import type { Batch, PacketMemory } from "../../caps/memory/memory.ts";
import {
  CHECKSUM_PARTIAL,
  GSO_TCP4,
  offloadWord,
} from "../../caps/port/offload.ts";
import type { PageExchange } from "../../drivers/driver.ts";
import {
  EmulatedDriver,
  type EmulatedOptions,
} from "../../drivers/emulated/driver.ts";
import { ETHERNET_FRAME_BYTES_MAX } from "../../drivers/emulated/wire.ts";

/** What is said of a super-packet. */
const SUPER_PACKET = offloadWord(CHECKSUM_PARTIAL, GSO_TCP4, 1000);

/** In what it is like another NIC. */
export interface Likeness {
  /** Packets may come from this machine, with checksums left to hardware. */
  readonly partialChecksums?: boolean;
  /** Extents of its memory; none by default. */
  readonly extents?: number;
  /** Super-packets come and go, in extents; its wire takes 1,514 bytes. */
  readonly superPackets?: boolean;
  /** The largest frame of its wire, in bytes; 1,514 by default. */
  readonly frameBytesMax?: number;
  /** The largest that is no super-packet, tags not counted; the same by default. */
  readonly wireBytesMax?: number;
  /** What it does itself with what is sent, as bits (caps/port/offload.ts); nothing by default. */
  readonly offloads?: number;
  /** The offload word of an arriving packet of so many bytes; 0 by default. */
  readonly wordOf?: (bytes: number) => number;
  /** How its frames become pages. */
  readonly pages?: (memory: PacketMemory) => PageExchange;
}

/** Sends nothing while it is stalled: what it was given stays in flight. */
export class StallingDriver extends EmulatedDriver {
  stalled = false;
  /** The offload words of what was sent, until somebody takes them out. */
  readonly sentWords: number[] = [];
  readonly #wordOf: ((bytes: number) => number) | undefined;

  constructor(options: EmulatedOptions, likeness: Likeness = {}) {
    super(options);
    const { partialChecksums, pages, offloads, superPackets } = likeness;
    this.#wordOf = likeness.wordOf ?? (superPackets ? longAreSuper : undefined);
    if (partialChecksums) Object.assign(this.info, { partialChecksums });
    if (offloads) Object.assign(this.info, { offloads });
    if (pages) Object.assign(this, { pages: pages(options.memory) });
  }

  /** The interface takes frames of up to so many bytes from now on, tags not counted. */
  setFrameBytesMax(frameBytesMax: number): void {
    Object.assign(this.info, { frameBytesMax });
  }

  /** What is no super-packet has up to so many bytes from now on, tags not counted. */
  setWireBytesMax(wireBytesMax: number): void {
    Object.assign(this.info, { wireBytesMax });
  }

  override receive(batch: Batch, max: number): number {
    const count = super.receive(batch, max);
    const wordOf = this.#wordOf;
    if (wordOf === undefined) return count;
    for (let i = 0; i < count; i++) batch.offload[i] = wordOf(batch.length[i]!);
    return count;
  }

  override transmit(batch: Batch, count: number): number {
    const sent = super.transmit(batch, count);
    this.sentWords.push(...batch.offload.subarray(0, sent));
    return sent;
  }

  override reclaim(frames: Uint32Array): number {
    return this.stalled ? 0 : super.reclaim(frames);
  }
}

/** What is longer than its wire takes is a super-packet. */
function longAreSuper(bytes: number): number {
  return bytes > ETHERNET_FRAME_BYTES_MAX ? SUPER_PACKET : 0;
}
