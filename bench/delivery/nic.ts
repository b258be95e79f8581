/** A NIC for `deliver`: as soon as its holder can take a batch, one has come. */

import {
  type Batch,
  EXTENT_PAGES,
  frameOffset,
  HEADROOM_BYTES,
  type PacketMemory,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import { FrameRing } from "../../drivers/kit/frame_ring.ts";
import { SourceNic } from "../source_nic.ts";

/** What comes. */
export interface Traffic {
  /** Bytes of each packet. */
  readonly packet: Uint8Array;
  /**
   * UDP ports that batches are to, in turn, from the packet's own on. The packet's
   * own alone by default; then nothing is written to a packet again.
   */
  readonly ports?: number | undefined;
  /** Packets that come at once. */
  readonly batch: number;
  /** Whether the holder can take another batch now. */
  readonly ready: () => boolean;
}

/** Where an IPv4 packet has its UDP port. */
const PORT_OFFSET = 36;

/** Frames that were provided come back with the packet in them, a batch a call. */
export class BenchNic extends SourceNic {
  /** Packets still to come. */
  left = 0;
  /** Packets that have come. */
  came = 0;
  readonly #traffic: Traffic;
  readonly #bytes: Uint8Array;
  /** The packet's own. */
  readonly #port: number;
  /** As in a NIC's ring: what was provided first is filled first. */
  readonly #frames: FrameRing;

  constructor(memory: PacketMemory, traffic: Traffic) {
    super(memory, traffic.packet.length);
    this.#traffic = traffic;
    this.#bytes = memory.bytes;
    const { buffer, byteOffset } = traffic.packet;
    this.#port = new DataView(buffer, byteOffset + PORT_OFFSET).getUint16(0);
    // Once: a NIC writes by itself, and nothing here overwrites a packet.
    const { frameCount, extentCount } = memory;
    const pages = traffic.packet.length > PAGE_BYTES ? EXTENT_PAGES : 1;
    const first = pages === 1 ? 0 : frameCount - extentCount * EXTENT_PAGES;
    this.#frames = new FrameRing(pages === 1 ? frameCount : extentCount);
    for (let frame = first; frame < frameCount; frame += pages) {
      memory.bytes.set(traffic.packet, frameOffset(frame) + HEADROOM_BYTES);
    }
  }

  override provide(frames: Uint32Array, count: number): number {
    for (let i = 0; i < count; i++) this.#frames.push(frames[i]!);
    return count;
  }

  override receive(batch: Batch, _max: number): number {
    const { packet, ports, batch: count, ready } = this.#traffic;
    if (this.left < count || this.#frames.size < count || !ready()) return 0;
    for (let i = 0; i < count; i++) {
      batch.offset[i] = frameOffset(this.#frames.shift()) + HEADROOM_BYTES;
      batch.length[i] = packet.length;
    }
    if (ports !== undefined) this.#address(batch, ports);
    this.left -= count;
    this.came += count;
    return count;
  }

  /** All packets of a batch go to one port, those of the next batch to the next one. */
  #address(batch: Batch, ports: number): void {
    const count = this.#traffic.batch;
    const port = this.#port + this.came / count % ports;
    for (let i = 0; i < count; i++) {
      const at = batch.offset[i]! + PORT_OFFSET;
      this.#bytes[at] = port >> 8;
      this.#bytes[at + 1] = port;
    }
  }
}
