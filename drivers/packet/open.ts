/** Opens a Linux interface through AF_PACKET. */

import type { PacketMemory } from "../../caps/memory/memory.ts";
import {
  GSO_TCP4,
  GSO_TCP6,
  OFFLOAD_CHECKSUM,
  offloadsGso,
} from "../../caps/port/offload.ts";
import type { Driver, DriverInfo } from "../driver.ts";
import { VLAN_TAG_BYTES } from "../kit/vlan_tags.ts";
import { closeDescriptor } from "../sys/libc.ts";
import { addressTaken } from "../sys/kernel_addresses.ts";
import { LinkMonitor } from "../sys/link_monitor.ts";
import {
  type InterfaceState,
  openNetworkInterface,
  openPromiscuous,
} from "../sys/network_interface.ts";
import { PollSet } from "../sys/poll_set.ts";
import { BlockRing, FRAME_BYTES_MAX } from "./block_ring.ts";
import { PacketDriver } from "./driver.ts";
import { Sender } from "./sender.ts";
import { BLOCK_BYTES, PacketSocket } from "./socket.ts";

/** The longest frame without tags: a page has room for one besides, which an MTU does not count. */
const UNTAGGED_BYTES_MAX = FRAME_BYTES_MAX - VLAN_TAG_BYTES;

/**
 * What a virtio header asks of every kernel that this runs on; of UDP's
 * super-packets those before Linux 6.2 know nothing.
 */
const OFFLOADS = OFFLOAD_CHECKSUM | offloadsGso(GSO_TCP4) |
  offloadsGso(GSO_TCP6);

const RING_ENTRIES = 2048;
const BLOCKS = 32;
const BLOCKS_MAX = 1024;

/** How an interface is opened. */
export interface PacketOptions {
  /** The interface's name in this network namespace. */
  readonly interfaceName: string;
  /** Where its packets lie. It outlives the driver and every page. */
  readonly memory: PacketMemory;
  /** The IPv4 addresses that are answered on, in host byte order: said where the kernel has one too. */
  readonly addresses?: readonly number[] | undefined;
  /** Frames that may be provided at once: a power of two from 64 to 32,768; 2,048 by default. */
  readonly ringEntries?: number;
  /** Blocks of 128 KiB of the receive ring: 2 to 1,024; 32 by default. */
  readonly blocks?: number;
}

/**
 * Opens an interface: what a filter that is admitted lets through arrives here
 * besides in the kernel. Nothing of the interface is changed but that it receives
 * for every Ethernet address, until the driver is closed, or its process ends in
 * any way.
 *
 * @throws {SystemError} when the kernel refuses: the privilege is missing
 * (CAP_NET_RAW, and CAP_NET_ADMIN for the other addresses, or root), there is no
 * such interface.
 * @throws {Error} when the interface is down or not Ethernet, or its MTU is more
 * than a page holds.
 */
export function openPacket(options: PacketOptions): Driver {
  const { memory, interfaceName } = options;
  const { ringEntries = RING_ENTRIES, blocks = BLOCKS } = options;
  checkOptions(ringEntries, blocks);
  const face = openNetworkInterface(interfaceName);
  const where = `packet:${face.name}`;
  const problem = mtuProblem(face);
  if (problem !== undefined) throw new Error(problem);
  using owned = new DisposableStack();
  const socket = owned.use(
    new PacketSocket({ where, face, blockCount: blocks }),
  );
  owned.adopt(openPromiscuous(face), closeDescriptor);
  const monitor = owned.use(new LinkMonitor(face));
  const poll = owned.use(
    new PollSet([monitor.descriptor, socket.descriptor]),
  );
  const info: DriverInfo = {
    name: where,
    mode: "AF_PACKET, TPACKET_V3",
    get mac() {
      return monitor.state.mac;
    },
    netmask: face.netmask,
    arrivalTimes: true,
    get frameBytesMax() {
      return Math.min(monitor.state.frameBytesMax, UNTAGGED_BYTES_MAX);
    },
    partialChecksums: false,
    offloads: OFFLOADS,
  };
  const ring = new BlockRing({
    buffer: socket.ring,
    blockBytes: BLOCK_BYTES,
    memory,
    link: info,
  });
  return new PacketDriver({
    info,
    memory,
    socket,
    ring,
    sender: new Sender(socket.descriptor, memory),
    ringEntries,
    monitor,
    poll,
    owned: owned.move(),
    problems: (notices) => {
      const { state } = monitor;
      notices.say(
        "address",
        addressTaken(`packet:${state.name}`, options.addresses),
      );
      notices.say("mtu", mtuProblem(state));
    },
  });
}

/** Why an interface's packets do not fit into a page, and what to do; undefined when they do. */
function mtuProblem(
  { name, mtu, frameBytesMax }: InterfaceState,
): string | undefined {
  if (frameBytesMax <= UNTAGGED_BYTES_MAX) return undefined;
  const mtuMax = UNTAGGED_BYTES_MAX - (frameBytesMax - mtu);
  return `packet:${name}: its MTU is ${mtu}, and a packet must fit into a page; \`ip link set ${name} mtu ${mtuMax}\` or less`;
}

function checkOptions(ringEntries: number, blocks: number): void {
  if (
    !Number.isInteger(Math.log2(ringEntries)) || ringEntries < 64 ||
    ringEntries > 32768
  ) {
    throw new RangeError(
      `packet: ringEntries is ${ringEntries}; it must be a power of two from 64 to 32768`,
    );
  }
  if (!Number.isInteger(blocks) || blocks < 2 || blocks > BLOCKS_MAX) {
    throw new RangeError(
      `packet: blocks is ${blocks}; it must be a whole number from 2 to ${BLOCKS_MAX}`,
    );
  }
}
