/** Opens a Linux interface through AF_XDP. */

import {
  frameOffset,
  type PacketMemory,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import type { Driver } from "../driver.ts";
import type { Notices } from "../kit/notices.ts";
import { VLAN_TAG_BYTES, VLAN_TAGS_MAX } from "../kit/vlan_tags.ts";
import { XDP_PACKET_HEADROOM } from "../sys/abi.ts";
import { addressOf, closeDescriptor } from "../sys/libc.ts";
import { addressTaken } from "../sys/kernel_addresses.ts";
import { LinkMonitor } from "../sys/link_monitor.ts";
import {
  type InterfaceState,
  type NetworkInterface,
  openNetworkInterface,
  openPromiscuous,
} from "../sys/network_interface.ts";
import { PollSet } from "../sys/poll_set.ts";
import { Attachment } from "./attachment.ts";
import { XdpDriver } from "./driver.ts";
import { hiddenParts } from "./hidden_parts.ts";
import { makeSocketMap } from "./program.ts";
import { openQueues, type Queues, QUEUES_MAX } from "./queues.ts";
import type { Umem } from "./socket.ts";

/** The largest packet that a page can receive: the kernel keeps room in front of it. */
const FRAME_BYTES_MAX: number = PAGE_BYTES - XDP_PACKET_HEADROOM;

/** Bytes of the VLAN tags that a page has room for besides, which an MTU does not count. */
const TAGS_BYTES_MAX = VLAN_TAGS_MAX * VLAN_TAG_BYTES;

/** The longest frame without tags. */
const UNTAGGED_BYTES_MAX = FRAME_BYTES_MAX - TAGS_BYTES_MAX;

const RING_ENTRIES = 2048;

/** How an interface is opened. */
export interface XdpOptions {
  /** The interface's name in this network namespace. */
  readonly interfaceName: string;
  /** Where its packets lie. It outlives the driver and every page. */
  readonly memory: PacketMemory;
  /** The IPv4 addresses that are answered on, in host byte order: said where the kernel has one too. */
  readonly addresses?: readonly number[] | undefined;
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
  const before = openNetworkInterface(interfaceName);
  refuseLargeMtu(before);
  const offset = frameOffset(frames.first);
  const umem: Umem = {
    address: addressOf(memory.bytes) + BigInt(offset),
    offset,
    frameFirst: frames.first,
    frameCount: frames.count,
  };

  using owned = new DisposableStack();
  const socketMap = owned.use(makeSocketMap(QUEUES_MAX));
  const attachment = owned.use(new Attachment(before, socketMap));
  // A NIC may change its queues for a program.
  const face = openNetworkInterface(interfaceName);
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
  const monitor = owned.use(new LinkMonitor(face));
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
      get mac() {
        return monitor.state.mac;
      },
      netmask: face.netmask,
      get frameBytesMax() {
        return Math.min(monitor.state.frameBytesMax, UNTAGGED_BYTES_MAX);
      },
      partialChecksums: face.local,
    },
    memory,
    queues,
    busyPoll: busyPollPackets !== undefined,
    attachment,
    monitor,
    poll,
    owned: owned.move(),
    problems: (notices) => {
      notices.say("hidden", hiddenParts(face));
      notices.say(
        "address",
        addressTaken(`xdp:${monitor.state.name}`, options.addresses),
      );
      sayProblems(notices, monitor.state, queues);
    },
  });
}

/** Says what of an interface that was changed while it is open stands in the way. */
function sayProblems(
  notices: Notices,
  state: InterfaceState,
  { sockets }: Queues,
): void {
  const where = `xdp:${state.name}`;
  const more = (state.receiveQueues ?? 0) - sockets.length;
  notices.say(
    "queues",
    more <= 0
      ? undefined
      : `${where}: it has ${state.receiveQueues} receive queues now, ${more} more than when it was opened, and what comes on those is dropped; start again, or \`ethtool -L ${state.name}\` with ${sockets.length}`,
  );
  notices.say(
    "mtu",
    state.frameBytesMax <= UNTAGGED_BYTES_MAX
      ? undefined
      : `${where}: ${largeMtu(state)}`,
  );
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
  if (face.frameBytesMax <= UNTAGGED_BYTES_MAX) return;
  throw new Error(`xdp:${face.name}: ${largeMtu(face)}`);
}

function largeMtu({ name, mtu, frameBytesMax }: InterfaceState): string {
  const mtuMax = UNTAGGED_BYTES_MAX - (frameBytesMax - mtu);
  return `its MTU is ${mtu}, and a packet must fit into a page of ${PAGE_BYTES} bytes; \`ip link set ${name} mtu ${mtuMax}\` or less`;
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
