/**
 * One AF_XDP socket: the rings of one receive queue, mapped, and bound to it.
 * Source: Documentation/networking/af_xdp.rst, include/uapi/linux/if_xdp.h.
 */

import { PAGE_BYTES } from "../../caps/memory/memory.ts";
import {
  AF_XDP,
  Errno,
  MSG_DONTWAIT,
  SO_BUSY_POLL,
  SO_BUSY_POLL_BUDGET,
  SO_PREFER_BUSY_POLL,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOCKADDR_XDP_BYTES,
  SOL_SOCKET,
  SOL_XDP,
  XDP_COPY,
  XDP_MMAP_OFFSETS,
  XDP_MMAP_OFFSETS_BYTES,
  XDP_PGOFF_RX_RING,
  XDP_PGOFF_TX_RING,
  XDP_RX_RING,
  XDP_SHARED_UMEM,
  XDP_STATISTICS,
  XDP_STATISTICS_BYTES,
  XDP_TX_RING,
  XDP_UMEM_COMPLETION_RING,
  XDP_UMEM_FILL_RING,
  XDP_UMEM_PGOFF_COMPLETION_RING,
  XDP_UMEM_PGOFF_FILL_RING,
  XDP_UMEM_REG,
  XDP_UMEM_REG_BYTES,
  XDP_USE_NEED_WAKEUP,
  XDP_ZEROCOPY,
} from "../sys/abi.ts";
import { enterDescriptor } from "../sys/resource_list.ts";
import {
  check,
  closeDescriptor,
  errno,
  libc,
  sleepMs,
  systemError,
} from "../sys/libc.ts";
import { MappedMemory } from "../sys/mapped_memory.ts";
import {
  CompletionRing,
  FillRing,
  ReceiveRing,
  type RingMemory,
  TransmitRing,
  type UmemPlace,
} from "./ring.ts";

/** Memory for packets as the kernel is told of it. */
export interface Umem extends UmemPlace {
  /** Address in this process. */
  readonly address: bigint;
}

/** How a socket is made. */
export interface XdpSocketOptions {
  /** For errors: `xdp:veth0`. */
  readonly where: string;
  /** The memory of its packets. */
  readonly umem: Umem;
  /** The socket that registered that memory; undefined for the first. */
  readonly sharedWith?: XdpSocket | undefined;
  /** Entries of each ring: a power of two. */
  readonly ringEntries: number;
  /** Packets that a call takes from the NIC itself; undefined for none. */
  readonly busyPollPackets?: number | undefined;
}

/** What a NIC did with packets of one queue, beside handing them over. */
export type SocketStatistics = readonly [reason: string, count: number][];

/** Where a ring's parts lie in its mapping, in words. */
interface RingOffsets {
  readonly producer: number;
  readonly consumer: number;
  readonly entries: number;
  readonly flags: number;
}

/** How long a call may poll a NIC that has nothing, in microseconds. */
const BUSY_POLL_US = 20;

/** How long a queue that its last user just gave up may stay busy. */
const BUSY_TRIES = 50;
const BUSY_PAUSE_MS = 10;

/** The socket of one receive queue. */
export class XdpSocket implements Disposable {
  /** The file descriptor. */
  readonly descriptor: number;
  /** Frames to receive into. */
  readonly fill: FillRing;
  /** Frames whose packets have left. */
  readonly completion: CompletionRing;
  /** Packets that came. */
  readonly receive: ReceiveRing;
  /** Packets to send. */
  readonly transmit: TransmitRing;
  readonly #options: XdpSocketOptions;
  readonly #owned: DisposableStack;

  /**
   * Makes a socket with its rings. Nothing arrives before {@link bind}.
   * @throws {SystemError} when the kernel refuses.
   */
  constructor(options: XdpSocketOptions) {
    using owned = new DisposableStack();
    this.#options = options;
    const { where, umem, ringEntries } = options;
    this.descriptor = check(
      enterDescriptor(libc().socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0)),
      { where, what: "cannot open an AF_XDP socket" },
    );
    owned.adopt(this.descriptor, closeDescriptor);
    this.#setBusyPoll();
    if (options.sharedWith === undefined) this.#register();
    const offsets = this.#makeRings();
    const map = (index: number, offset: bigint, words: number): RingMemory => {
      const at = offsets[index]!;
      const sizeBytes = (at.entries + ringEntries * words) * 4;
      const what = "cannot map a ring";
      const memory = owned.use(
        new MappedMemory(this.descriptor, offset, {
          sizeBytes,
          attempt: { where, what },
        }),
      );
      return ringIn(memory.buffer, at, ringEntries * words);
    };
    this.receive = new ReceiveRing(map(0, XDP_PGOFF_RX_RING, 4), umem);
    this.transmit = new TransmitRing(map(1, XDP_PGOFF_TX_RING, 4), umem);
    this.fill = new FillRing(map(2, XDP_UMEM_PGOFF_FILL_RING, 2), umem);
    this.completion = new CompletionRing(
      map(3, XDP_UMEM_PGOFF_COMPLETION_RING, 2),
      umem,
    );
    this.#owned = owned.move();
  }

  /**
   * Binds it to queue `queue` of the interface. A queue that another socket has
   * just left is busy for a moment: the kernel cleans up later.
   *
   * @throws {SystemError} when the kernel refuses: EINVAL where there is no such
   * queue, EOPNOTSUPP where the NIC cannot do `zeroCopy`.
   */
  bind(interfaceIndex: number, queue: number, zeroCopy: boolean): void {
    const { where, sharedWith } = this.#options;
    const address = new DataView(new ArrayBuffer(SOCKADDR_XDP_BYTES));
    // Without zero copy, sending is a system call in any case, and receiving
    // needs none: the flag would only cost. A socket that shares memory
    // inherits the flags.
    const flags = zeroCopy ? XDP_ZEROCOPY | XDP_USE_NEED_WAKEUP : XDP_COPY;
    address.setUint16(0, AF_XDP, true);
    address.setUint16(
      2,
      sharedWith === undefined ? flags : XDP_SHARED_UMEM,
      true,
    );
    address.setUint32(4, interfaceIndex, true);
    address.setUint32(8, queue, true);
    address.setUint32(12, sharedWith?.descriptor ?? 0, true);
    for (let tries = 1;; tries++) {
      const result = libc().bind(
        this.descriptor,
        address.buffer,
        SOCKADDR_XDP_BYTES,
      );
      if (result === 0) return;
      const failed = errno();
      if (failed !== Errno.EBUSY || tries === BUSY_TRIES) {
        throw systemError(failed, {
          where,
          what: `cannot bind an AF_XDP socket to receive queue ${queue}`,
          ...(failed === Errno.EBUSY
            ? { advice: "another AF_XDP program has this queue: end it" }
            : {}),
        });
      }
      sleepMs(BUSY_PAUSE_MS);
    }
  }

  /** Has the kernel send from the transmit ring. Returns 0, or the error number. */
  kick(): number {
    const result = libc().send(this.descriptor, null, 0n, MSG_DONTWAIT);
    return result < 0 ? errno() : 0;
  }

  /** Has a sleeping NIC's driver look at the fill ring, and polls the NIC where that was asked for. */
  wakeReceive(): void {
    libc().recv(this.descriptor, null, 0n, MSG_DONTWAIT);
  }

  /** What the kernel has counted. A packet that met an empty fill ring is in `rx-dropped` as well. */
  statistics(): SocketStatistics {
    const bytes = new ArrayBuffer(XDP_STATISTICS_BYTES);
    const size = new Uint32Array([XDP_STATISTICS_BYTES]);
    const result = libc().getsockopt(
      this.descriptor,
      SOL_XDP,
      XDP_STATISTICS,
      bytes,
      size,
    );
    if (result < 0) return [];
    const view = new DataView(bytes);
    const at = (index: number) => Number(view.getBigUint64(index * 8, true));
    return [
      ["rx-dropped", at(0)],
      ["rx-invalid-descriptor", at(1)],
      ["tx-invalid-descriptor", at(2)],
      ["rx-ring-full", at(3)],
      ["fill-ring-empty", at(4)],
    ];
  }

  /** Unmaps the rings and closes the socket; the last one gives the memory back. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }

  /** Source: Documentation/networking/napi.rst, "Busy polling". */
  #setBusyPoll(): void {
    const { where, busyPollPackets } = this.#options;
    if (busyPollPackets === undefined) return;
    for (
      const [option, value] of [
        [SO_PREFER_BUSY_POLL, 1],
        [SO_BUSY_POLL, BUSY_POLL_US],
        [SO_BUSY_POLL_BUDGET, busyPollPackets],
      ] as const
    ) {
      const bytes = new Int32Array([value]).buffer;
      if (this.#set(option, bytes, SOL_SOCKET) === 0) continue;
      const failed = errno();
      throw systemError(failed, {
        where,
        what: "cannot poll the NIC busily",
        ...(failed === Errno.ENOPROTOOPT
          ? {
            advice:
              "Linux has this from 5.11 on, with CONFIG_NET_RX_BUSY_POLL: leave busyPoll out",
          }
          : {}),
      });
    }
  }

  /** Tells the kernel of the memory: a frame is a page, without headroom of ours. */
  #register(): void {
    const { where, umem } = this.#options;
    const sizeBytes = umem.frameCount * PAGE_BYTES;
    const region = new DataView(new ArrayBuffer(XDP_UMEM_REG_BYTES));
    region.setBigUint64(0, umem.address, true);
    region.setBigUint64(8, BigInt(sizeBytes), true);
    region.setUint32(16, PAGE_BYTES, true);
    if (this.#set(XDP_UMEM_REG, region.buffer) === 0) return;
    const failed = errno();
    throw systemError(failed, {
      where,
      what: `cannot register ${sizeBytes >>> 10} KiB of packet memory`,
      ...(failed === Errno.ENOBUFS
        ? {
          advice:
            "raise the limit of locked memory (ulimit -l), or add CAP_IPC_LOCK",
        }
        : {}),
    });
  }

  #makeRings(): RingOffsets[] {
    const { where, ringEntries } = this.#options;
    const entries = new Uint32Array([ringEntries]).buffer;
    for (
      const ring of [
        XDP_UMEM_FILL_RING,
        XDP_UMEM_COMPLETION_RING,
        XDP_RX_RING,
        XDP_TX_RING,
      ]
    ) {
      check(this.#set(ring, entries), {
        where,
        what: `cannot make a ring of ${ringEntries} entries`,
      });
    }
    const bytes = new ArrayBuffer(XDP_MMAP_OFFSETS_BYTES);
    const size = new Uint32Array([XDP_MMAP_OFFSETS_BYTES]);
    check(
      libc().getsockopt(
        this.descriptor,
        SOL_XDP,
        XDP_MMAP_OFFSETS,
        bytes,
        size,
      ),
      { where, what: "cannot find the rings" },
    );
    const view = new DataView(bytes);
    const word = (at: number) => Number(view.getBigUint64(at, true)) / 4;
    return [0, 32, 64, 96].map((at) => ({
      producer: word(at),
      consumer: word(at + 8),
      entries: word(at + 16),
      flags: word(at + 24),
    }));
  }

  #set(option: number, value: ArrayBuffer, level: number = SOL_XDP): number {
    return libc().setsockopt(
      this.descriptor,
      level,
      option,
      value,
      value.byteLength,
    );
  }
}

function ringIn(
  buffer: ArrayBuffer,
  at: RingOffsets,
  words: number,
): RingMemory {
  const one = (word: number) => new Uint32Array(buffer, word * 4, 1);
  return {
    producer: one(at.producer),
    consumer: one(at.consumer),
    flags: one(at.flags),
    entries: new Uint32Array(buffer, at.entries * 4, words),
  };
}
