/** Opens a Linux interface through AF_XDP. */

import {
  frameOffset,
  type PacketMemory,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import type { Driver } from "../driver.ts";
import { XDP_PACKET_HEADROOM } from "../sys/abi.ts";
import { addressOf, closeDescriptor } from "../sys/libc.ts";
import { LinkMonitor } from "../sys/link_monitor.ts";
import {
  type NetworkInterface,
  openNetworkInterface,
  openPromiscuous,
} from "../sys/network_interface.ts";
import { PollSet } from "../sys/poll_set.ts";
import { Attachment } from "./attachment.ts";
import { XdpDriver } from "./driver.ts";
import { makeSocketMap } from "./program.ts";
import { openQueues, type Queues, QUEUES_MAX } from "./queues.ts";
import type { Umem } from "./socket.ts";

/** The largest packet that a page can receive: the kernel keeps room in front of it. */
const FRAME_BYTES_MAX: number = PAGE_BYTES - XDP_PACKET_HEADROOM;

/** Bytes of two VLAN tags, which an MTU does not count. */
const VLAN_TAGS_BYTES = 8;

const RING_ENTRIES = 2048;

/** How an interface is opened. */
export interface XdpOptions {
  /** The interface's name in this network namespace. */
  readonly interfaceName: string;
  /** Where its packets lie. It outlives the driver and every page. */
  readonly memory: PacketMemory;
  /** Which frames of it are this NIC's; all of them by default. */
  readonly frames?: { readonly first: number; readonly count: number };
  /** Entries of each ring: a power of two from 64 to 32,768; 2,048 by default. */
  readonly ringEntries?: number;
  /** Whether to try for zero copy; true by default. */
  readonly zeroCopy?: boolean;
  /**
   * Has looking for packets poll the NIC itself, for so many packets at once
   * (1 to 65,535), in place of its interrupts; off by default. With interrupts
   * put off (napi_defer_hard_irqs, gro_flush_timeout) that is where latency is
   * least; those settings are the interface's, and left alone.
   */
  readonly busyPollPackets?: number | undefined;
}

/**
 * Opens an interface: an XDP program that passes everything to the kernel is on
 * it then, and whatever a program that is offloaded claims arrives here. When
 * the driver is closed, or its process ends in any way, the interface is as it
 * was before.
 *
 * @throws {SystemError} when the kernel refuses: the privilege is missing
 * (CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF and CAP_PERFMON, or root), there is no such
 * interface, another XDP program has it.
 * @throws {Error} when the interface is down or not Ethernet, or its MTU is more
 * than a page holds: packets in several buffers are not received.
 */
export function openXdp(options: XdpOptions): Driver {
  const { memory, interfaceName, busyPollPackets } = options;
  const frames = options.frames ?? { first: 0, count: memory.frameCount };
  const ringEntries = options.ringEntries ?? RING_ENTRIES;
  checkOptions(memory, frames, ringEntries);
  const face = openNetworkInterface(interfaceName);
  refuseLargeMtu(face);
  const offset = frameOffset(frames.first);
  const umem: Umem = {
    address: addressOf(memory.bytes) + BigInt(offset),
    offset,
    frameFirst: frames.first,
    frameCount: frames.count,
  };

  using owned = new DisposableStack();
  const socketMap = owned.use(makeSocketMap(face.receiveQueues ?? QUEUES_MAX));
  const attachment = owned.use(new Attachment(face, socketMap));
  // A NIC writes into frames by itself only for a program in its own driver.
  const zeroCopy = (options.zeroCopy ?? true) && attachment.mode === "native";
  const queues = openQueues({
    face,
    umem,
    ringEntries,
    zeroCopy,
    busyPollPackets,
  });
  for (const socket of queues.sockets) owned.use(socket);
  enterSockets(socketMap, queues);
  owned.adopt(openPromiscuous(face), closeDescriptor);
  const monitor = owned.use(new LinkMonitor(face.index));
  const poll = owned.use(
    new PollSet([
      monitor.descriptor,
      ...queues.sockets.map((socket) => socket.descriptor),
    ]),
  );
  return new XdpDriver({
    info: {
      name: `xdp:${face.name}`,
      mode: modeOf(attachment, queues, busyPollPackets),
      mac: face.mac,
      netmask: face.netmask,
      frameBytesMax: face.frameBytesMax,
      partialChecksums: face.local,
    },
    memory,
    queues,
    busyPoll: busyPollPackets !== undefined,
    attachment,
    monitor,
    poll,
    owned: owned.move(),
  });
}

/** `AF_XDP native, copy, 4 queues, busy poll of 64`. */
function modeOf(
  { mode }: Attachment,
  { zeroCopy, sockets }: Queues,
  busyPollPackets: number | undefined,
): string {
  return [
    `AF_XDP ${mode}`,
    zeroCopy ? "zero copy" : "copy",
    ...(sockets.length > 1 ? [`${sockets.length} queues`] : []),
    ...(busyPollPackets === undefined
      ? []
      : [`busy poll of ${busyPollPackets}`]),
  ].join(", ");
}

function checkOptions(
  memory: PacketMemory,
  frames: { readonly first: number; readonly count: number },
  ringEntries: number,
): void {
  const { first, count } = frames;
  if (
    !Number.isInteger(first) || !Number.isInteger(count) || first < 0 ||
    count < 1 || first + count > memory.frameCount
  ) {
    throw new RangeError(
      `xdp: frames ${first} to ${
        first + count - 1
      } are not all in a packet memory of ${memory.frameCount}`,
    );
  }
  if (
    !Number.isInteger(Math.log2(ringEntries)) || ringEntries < 64 ||
    ringEntries > 32768
  ) {
    throw new RangeError(
      `xdp: ringEntries is ${ringEntries}; it must be a power of two from 64 to 32768`,
    );
  }
}

function refuseLargeMtu(face: NetworkInterface): void {
  const largest = FRAME_BYTES_MAX - VLAN_TAGS_BYTES;
  if (face.frameBytesMax <= largest) return;
  const mtuMax = largest - (face.frameBytesMax - face.mtu);
  throw new Error(
    `xdp:${face.name}: its MTU is ${face.mtu}, and a packet must fit into a page of ${PAGE_BYTES} bytes; \`ip link set ${face.name} mtu ${mtuMax}\` or less`,
  );
}

function enterSockets(
  socketMap: ReturnType<typeof makeSocketMap>,
  queues: Queues,
): void {
  const key = new Uint8Array(4);
  const value = new Uint8Array(4);
  for (const [queue, socket] of queues.sockets.entries()) {
    new DataView(key.buffer).setUint32(0, queue, true);
    new DataView(value.buffer).setInt32(0, socket.descriptor, true);
    socketMap.update(key, value);
  }
}
