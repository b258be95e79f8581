/**
 * One AF_PACKET socket of an interface, with its receive ring mapped.
 * Source: packet(7), Documentation/networking/packet_mmap.rst.
 */

import type { SocketFilter } from "../../caps/driver/program.ts";
import {
  AF_PACKET,
  Errno,
  ETH_P_ALL,
  PACKET_IGNORE_OUTGOING,
  PACKET_RX_RING,
  PACKET_STATISTICS,
  PACKET_VERSION,
  PACKET_VNET_HDR,
  SO_ATTACH_FILTER,
  SO_ERROR,
  SO_SNDBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_FPROG_BYTES,
  SOCK_RAW,
  SOCKADDR_LL_BYTES,
  SOL_PACKET,
  SOL_SOCKET,
  TPACKET_STATS_V3_BYTES,
  TPACKET_V3,
} from "../sys/abi.ts";
import { enterDescriptor } from "../sys/resource_list.ts";
import {
  addressOf,
  type Attempt,
  check,
  closeDescriptor,
  errno,
  libc,
  systemError,
} from "../sys/libc.ts";
import { MappedMemory } from "../sys/mapped_memory.ts";
import type { NetworkInterface } from "../sys/network_interface.ts";

/** Bytes of a block: room for a segment of 64 KiB, which the kernel would cut short otherwise. */
export const BLOCK_BYTES: number = 128 * 1024;

/**
 * How long a block stays open for more packets, in milliseconds: the least that
 * there is. It is what a lone packet waits for.
 */
const BLOCK_TIMEOUT_MS = 1;

/** What the kernel wants to be told of frames, though TPACKET_V3 has none: a divisor of a block. */
const FRAME_BYTES = 2048;

/** Bytes of packets on their way out: dozens of full batches. */
const SEND_BUFFER_BYTES = 4 << 20;

/** A program of one instruction, `ret #0`: nothing is anybody's yet. */
const NOTHING: SocketFilter = {
  instructions: new Uint8Array([0x06, 0, 0, 0, 0, 0, 0, 0]),
};

/** How a socket is made. */
export interface PacketSocketOptions {
  /** For errors: `packet:veth0`. */
  readonly where: string;
  readonly face: NetworkInterface;
  /** Blocks of the receive ring. */
  readonly blockCount: number;
}

/** A packet socket that is bound to its interface. */
export class PacketSocket implements Disposable {
  /** The file descriptor. */
  readonly descriptor: number;
  /** The receive ring's memory. */
  readonly ring: ArrayBuffer;
  readonly #where: string;
  readonly #owned: DisposableStack;
  #ringFull = 0;
  #freezes = 0;

  /**
   * Opens a socket. Nothing arrives before {@link admit}.
   * @throws {SystemError} when the kernel refuses.
   */
  constructor(options: PacketSocketOptions) {
    using owned = new DisposableStack();
    const { where, face, blockCount } = options;
    this.#where = where;
    // With protocol 0 it receives nothing before it is bound.
    this.descriptor = check(
      enterDescriptor(libc().socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)),
      {
        where,
        what: "cannot open a packet socket",
        advice: "run as root, or with CAP_NET_RAW and CAP_NET_ADMIN",
      },
    );
    owned.adopt(this.descriptor, closeDescriptor);
    this.#set(PACKET_VERSION, [TPACKET_V3], "this kernel has no TPACKET_V3");
    // Linux 4.20. What this machine sends is not what arrives here.
    this.#set(PACKET_IGNORE_OUTGOING, [1], "cannot leave out what is sent");
    this.#set(PACKET_VNET_HDR, [1], "cannot have virtio headers");
    this.admit(NOTHING);
    this.ring = owned.use(this.#makeRing(blockCount)).buffer;
    // Without the privilege the buffer stays as it is, which is only slower.
    const size = new Uint32Array([SEND_BUFFER_BYTES]).buffer;
    libc().setsockopt(this.descriptor, SOL_SOCKET, SO_SNDBUFFORCE, size, 4);
    this.#bind(face.index);
    this.#owned = owned.move();
  }

  /**
   * Has the kernel put into the ring what `filter` takes, and nothing else.
   * @throws {SystemError} when the kernel refuses it; the one before stays.
   */
  admit(filter: SocketFilter): void {
    const { instructions } = filter;
    const program = new DataView(new ArrayBuffer(SOCK_FPROG_BYTES));
    program.setUint16(0, instructions.length / 8, true);
    program.setBigUint64(8, addressOf(instructions), true);
    const result = libc().setsockopt(
      this.descriptor,
      SOL_SOCKET,
      SO_ATTACH_FILTER,
      program.buffer,
      SOCK_FPROG_BYTES,
    );
    check(result, { where: this.#where, what: "cannot attach a filter" });
  }

  /** Takes the error that waits on the socket, so that polling it waits again. */
  takeError(): void {
    const value = new Int32Array(1);
    const size = new Uint32Array([4]);
    libc().getsockopt(
      this.descriptor,
      SOL_SOCKET,
      SO_ERROR,
      value.buffer,
      size,
    );
  }

  /** What the kernel has counted since the socket was opened: packets that met a full ring (or stand for several in a way that no virtio header says, as SCTP's do), and how often it was full. */
  statistics(): { readonly ringFull: number; readonly freezes: number } {
    const counts = new Uint32Array(TPACKET_STATS_V3_BYTES / 4);
    const size = new Uint32Array([TPACKET_STATS_V3_BYTES]);
    const result = libc().getsockopt(
      this.descriptor,
      SOL_PACKET,
      PACKET_STATISTICS,
      counts.buffer,
      size,
    );
    // The kernel resets its counts each time they are read.
    if (result === 0) {
      this.#ringFull += counts[1]!;
      this.#freezes += counts[2]!;
    }
    return { ringFull: this.#ringFull, freezes: this.#freezes };
  }

  /** Unmaps the ring and closes the socket. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }

  #makeRing(blockCount: number): MappedMemory {
    const sizeBytes = blockCount * BLOCK_BYTES;
    const what = `cannot make a receive ring of ${sizeBytes >>> 10} KiB`;
    this.#set(PACKET_RX_RING, [
      BLOCK_BYTES,
      blockCount,
      FRAME_BYTES,
      sizeBytes / FRAME_BYTES,
      BLOCK_TIMEOUT_MS,
      0,
      0,
    ], what);
    const attempt: Attempt = { where: this.#where, what };
    return new MappedMemory(this.descriptor, 0n, { sizeBytes, attempt });
  }

  #bind(interfaceIndex: number): void {
    const address = new DataView(new ArrayBuffer(SOCKADDR_LL_BYTES));
    address.setUint16(0, AF_PACKET, true);
    address.setUint16(2, ETH_P_ALL);
    address.setInt32(4, interfaceIndex, true);
    const result = libc().bind(
      this.descriptor,
      address.buffer,
      SOCKADDR_LL_BYTES,
    );
    check(result, {
      where: this.#where,
      what: "cannot bind a packet socket to the interface",
    });
  }

  #set(option: number, words: readonly number[], what: string): void {
    const value = new Uint32Array(words).buffer;
    const size = value.byteLength;
    const result = libc().setsockopt(
      this.descriptor,
      SOL_PACKET,
      option,
      value,
      size,
    );
    if (result === 0) return;
    const failed = errno();
    throw systemError(failed, {
      where: this.#where,
      what,
      ...(failed === Errno.ENOPROTOOPT
        ? { advice: "Linux 4.20 or newer is needed" }
        : {}),
    });
  }
}
