/**
 * Reads and writes packets where they lie in packet memory, their virtio headers
 * beside it: one system call each, and nothing is copied but by the kernel.
 *
 * ```
 * ├ header's address, size ┼ packet's address, size ┤   two `struct iovec`
 * ```
 */

import { FRAMES_OFFSET, type PacketMemory } from "../../caps/memory/memory.ts";
import { IoVectors } from "../sys/io_vectors.ts";
import { addressOf, libc } from "../sys/libc.ts";

/** Which of the two places is which. */
const HEADER = 0;
const PACKET = 1;

/** Packets of one packet memory. */
export class PacketIo {
  /** The virtio header of the packet at hand. */
  readonly header: Uint8Array<ArrayBuffer>;
  readonly #vectors = new IoVectors(2);
  /** The address of packet memory; user space ends well below 2^53. */
  readonly #base: number;

  /** Of packets in `memory`, behind headers of `headerBytes`. */
  constructor(memory: PacketMemory, headerBytes: number) {
    // Large enough to have a place of its own, where it stays.
    this.header = new Uint8Array(new ArrayBuffer(4096), 0, headerBytes);
    this.#base = Number(addressOf(memory.bytes));
    const header = Number(addressOf(this.header));
    this.#vectors.point(HEADER, header, headerBytes);
  }

  /** Reads a packet of up to `roomBytes` to `offset`. Returns its bytes; -1 when there is none, or the call failed. */
  read(descriptor: number, offset: number, roomBytes: number): number {
    this.#vectors.point(PACKET, this.#base + offset, roomBytes);
    const got = libc().readv(descriptor, this.#vectors.words, 2);
    return got < 0 ? -1 : Math.max(0, got - this.header.length);
  }

  /** Writes the packet of `length` bytes at `offset`. Returns whether the kernel took it. */
  write(descriptor: number, offset: number, length: number): boolean {
    this.#vectors.point(PACKET, this.#base + offset, length);
    return libc().writev(descriptor, this.#vectors.words, 2) >= 0;
  }
}

/** Whether a packet lies in packet memory's frames, to its last byte. */
export function isInFrames(
  memory: PacketMemory,
  offset: number,
  length: number,
): boolean {
  return offset >= FRAMES_OFFSET && offset + length <= memory.bytes.byteLength;
}
