/**
 * A socket for every receive queue of an interface, all over the same memory: a
 * packet on a queue without one would be lost, so it is all of them or none.
 */

import { Errno } from "../sys/abi.ts";
import type { NetworkInterface } from "../sys/network_interface.ts";
import { SystemError } from "../sys/system_error.ts";
import { type Umem, XdpSocket } from "./socket.ts";

/** The most receive queues that an interface may have. */
export const QUEUES_MAX = 64;

/** How the sockets are made. */
export interface QueuesOptions {
  /** The interface. */
  readonly face: NetworkInterface;
  /** The memory of their packets. */
  readonly umem: Umem;
  /** Entries of each ring. */
  readonly ringEntries: number;
  /** Whether to try for zero copy first. */
  readonly zeroCopy: boolean;
  /** Packets that a call takes from the NIC itself; undefined for none. */
  readonly busyPollPackets?: number | undefined;
}

/** The sockets of all receive queues, by queue. */
export interface Queues {
  /** At least one. */
  readonly sockets: readonly [XdpSocket, ...XdpSocket[]];
  /** Whether the NIC itself writes into the frames. */
  readonly zeroCopy: boolean;
}

/**
 * Opens a socket for each receive queue, with zero copy where it is wished and
 * the NIC can.
 *
 * @throws {SystemError} when a queue cannot have one; none is left behind.
 */
export function openQueues(options: QueuesOptions): Queues {
  const { face } = options;
  if (face.receiveQueues !== undefined && face.receiveQueues > QUEUES_MAX) {
    throw new RangeError(
      `xdp:${face.name}: has ${face.receiveQueues} receive queues, ${QUEUES_MAX} is the most; \`ethtool -L ${face.name} combined ${QUEUES_MAX}\` first`,
    );
  }
  if (options.zeroCopy) {
    try {
      return { sockets: openAll(options, true), zeroCopy: true };
    } catch (error) {
      // Whatever a NIC holds against zero copy, it can copy. What stands against
      // that as well is said there.
      if (!(error instanceof SystemError)) throw error;
    }
  }
  return { sockets: openAll(options, false), zeroCopy: false };
}

function openAll(
  options: QueuesOptions,
  zeroCopy: boolean,
): [XdpSocket, ...XdpSocket[]] {
  const { face } = options;
  using opened = new DisposableStack();
  const first = opened.use(openOne(options, undefined));
  first.bind(face.index, 0, zeroCopy);
  const sockets: [XdpSocket, ...XdpSocket[]] = [first];
  // Where the number is not known, the kernel says which queue is no more.
  const count = face.receiveQueues ?? QUEUES_MAX;
  while (sockets.length < count) {
    const socket = opened.use(openOne(options, first));
    try {
      socket.bind(face.index, sockets.length, zeroCopy);
    } catch (error) {
      const isLast = face.receiveQueues === undefined &&
        error instanceof SystemError && error.errno === Errno.EINVAL;
      if (!isLast) throw error;
      socket[Symbol.dispose]();
      break;
    }
    sockets.push(socket);
  }
  opened.move();
  return sockets;
}

function openOne(
  options: QueuesOptions,
  sharedWith: XdpSocket | undefined,
): XdpSocket {
  return new XdpSocket({
    where: `xdp:${options.face.name}`,
    umem: options.umem,
    ringEntries: options.ringEntries,
    busyPollPackets: options.busyPollPackets,
    sharedWith,
  });
}
