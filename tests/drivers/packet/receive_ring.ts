/** A receive ring as the kernel fills it (net/packet/af_packet.c, `tpacket_rcv`), in memory of our own. */

const BLOCK_BYTES = 128 << 10;
/** `struct tpacket_block_desc`, rounded up. */
const BLOCK_HEADER_BYTES = 48;
/** Where a frame begins behind its `struct tpacket3_hdr`: behind the virtio header. */
const MAC = 92;
const VIRTIO_HEADER_BYTES = 10;
const STATUS_USER = 1;
const STATUS_VLAN = 1 << 4 | 1 << 6;

/** A packet as the kernel puts it there. */
export interface RingPacket {
  readonly frame: Uint8Array;
  /** `struct virtio_net_hdr`. */
  readonly header: Uint8Array;
  /** The type and the content of the VLAN tag that was taken out. */
  readonly tag: readonly [number, number] | undefined;
  /** Bytes that were cut off its end. */
  readonly cutBytes: number;
  /** When it arrived: seconds and nanoseconds. */
  readonly time?: readonly [number, number];
}

/** A ring of as many blocks as its packets take, all of them handed over. */
export class ReceiveRing {
  readonly buffer: ArrayBuffer;
  readonly blockBytes = BLOCK_BYTES;
  readonly #view: DataView;

  constructor(packets: readonly RingPacket[]) {
    const blocks: RingPacket[][] = [[]];
    let used = BLOCK_HEADER_BYTES;
    for (const packet of packets) {
      used += roomOf(packet);
      if (used > BLOCK_BYTES) {
        blocks.push([]);
        used = BLOCK_HEADER_BYTES + roomOf(packet);
      }
      blocks.at(-1)!.push(packet);
    }
    // One that is still the kernel's is where the next packets would come.
    this.buffer = new ArrayBuffer((blocks.length + 1) * BLOCK_BYTES);
    this.#view = new DataView(this.buffer);
    for (const [n, block] of blocks.entries()) {
      this.#fill(n * BLOCK_BYTES, block);
    }
  }

  /** Blocks that are not the kernel's. */
  get handedOver(): number {
    let count = 0;
    for (let at = 0; at < this.buffer.byteLength; at += BLOCK_BYTES) {
      count += this.#view.getUint32(at + 8, true) & STATUS_USER;
    }
    return count;
  }

  #fill(start: number, packets: readonly RingPacket[]): void {
    const view = this.#view;
    view.setUint32(start + 8, STATUS_USER, true);
    view.setUint32(start + 12, packets.length, true);
    view.setUint32(start + 16, BLOCK_HEADER_BYTES, true);
    let at = start + BLOCK_HEADER_BYTES;
    for (const packet of packets) {
      this.#put(at, packet);
      at += roomOf(packet);
    }
  }

  #put(at: number, packet: RingPacket): void {
    const { frame, header, tag, cutBytes, time = [0, 0] } = packet;
    const view = this.#view;
    view.setUint32(at, roomOf(packet), true);
    view.setUint32(at + 4, time[0], true);
    view.setUint32(at + 8, time[1], true);
    view.setUint32(at + 12, frame.length - cutBytes, true);
    view.setUint32(at + 16, frame.length, true);
    view.setUint32(at + 20, STATUS_USER | (tag ? STATUS_VLAN : 0), true);
    view.setUint16(at + 24, MAC, true);
    view.setUint32(at + 32, tag?.[1] ?? 0, true);
    view.setUint16(at + 36, tag?.[0] ?? 0, true);
    const bytes = new Uint8Array(this.buffer);
    bytes.set(header, at + MAC - VIRTIO_HEADER_BYTES);
    bytes.set(frame, at + MAC);
  }
}

function roomOf({ frame }: RingPacket): number {
  return MAC + frame.length + 15 & ~15;
}
