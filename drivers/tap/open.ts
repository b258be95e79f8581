/** Opens a TAP or a TUN. */

import {
  EXTENT_BYTES,
  HEADROOM_BYTES,
  type PacketMemory,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import {
  GSO_TCP4,
  GSO_TCP6,
  GSO_UDP,
  OFFLOAD_CHECKSUM,
  offloadsGso,
} from "../../caps/port/offload.ts";
import type { Driver, DriverInfo } from "../driver.ts";
import { VLAN_TAG_BYTES, VLAN_TAGS_MAX } from "../kit/vlan_tags.ts";
import { LinkMonitor } from "../sys/link_monitor.ts";
import {
  type InterfaceState,
  openNetworkInterface,
} from "../sys/network_interface.ts";
import { PollSet } from "../sys/poll_set.ts";
import { TUN_QUEUES_MAX, TunDevice, type TunKind } from "../sys/tun_device.ts";
import { TapDriver } from "./driver.ts";
import { LinkLayer } from "./link_layer.ts";
import { steer } from "./steering.ts";

/** How an interface is opened. */
export interface TapOptions {
  /** `tap` with Ethernet, `tun` without. */
  readonly kind: TunKind;
  /** The interface's name; it is made where there is none of that name. */
  readonly interfaceName: string;
  /**
   * Where its packets lie. Super-packets come into extents; a memory without any
   * gets packets of the wire's size.
   */
  readonly memory: PacketMemory;
  /** Queues, 1 by default. More than one must be so for a persistent interface, too. */
  readonly queues?: number;
  /** For a TUN: the Ethernet address that packets are to. */
  readonly mac?: Uint8Array;
}

/** The longest IP packet behind an Ethernet header and a tag that the kernel puts in. */
const SUPER_BYTES_MAX = 65535 + 14 + 4;

const RING_FRAMES = 1024;

/** The kernel's end of a TUN, which has no Ethernet address: a local one. */
const TUN_PEER = Uint8Array.of(0x02, 0x53, 0x74, 0x75, 0x6e, 0x01);

/** Who a TUN's packets are to, by default. */
const TUN_SELF = Uint8Array.of(0x02, 0x53, 0x74, 0x75, 0x6e, 0x02);

/**
 * Opens the interface. One that is made for this is up, and gone as soon as the
 * driver is closed, or its process ends in any way; one that was there before
 * (`ip tuntap add`) stays as it was.
 *
 * @throws {SystemError} when the kernel refuses: there is no /dev/net/tun, no
 * CAP_NET_ADMIN, another program has the interface, or it is no TAP.
 * @throws {Error} when the interface is down, or its MTU more than a page holds
 * in a memory without extents.
 */
export function openTap(options: TapOptions): Driver {
  const { kind, interfaceName, memory } = options;
  const queues = options.queues ?? 1;
  checkOptions(interfaceName, kind, queues);
  const superPackets = memory.extentCount > 0;
  using owned = new DisposableStack();
  const device = owned.use(
    new TunDevice({ kind, interfaceName, queues, superPackets }),
  );
  const steering = queues > 1 ? steer(device.descriptors[0]!, kind) : undefined;
  if (steering !== undefined) owned.use(steering);
  const face = openNetworkInterface(interfaceName, kind === "tun");
  const frameRoomBytes = superPackets ? EXTENT_BYTES : PAGE_BYTES;
  const problem = superPackets ? undefined : mtuProblem(face);
  if (problem !== undefined) throw new Error(problem);
  const monitor = owned.use(new LinkMonitor(face));
  const poll = owned.use(
    new PollSet([monitor.descriptor, ...device.descriptors]),
  );
  const link = kind === "tap" ? undefined : new LinkLayer(memory, {
    far: TUN_PEER,
    near: options.mac ?? TUN_SELF,
  });
  return new TapDriver({
    info: infoOf(monitor, { kind, device, superPackets, steering }),
    memory,
    descriptors: device.descriptors,
    headerBytes: device.headerBytes,
    link,
    monitor,
    poll,
    owned: owned.move(),
    frameRoomBytes,
    ringFrames: RING_FRAMES,
    problems: (notices) => {
      if (!superPackets) notices.say("mtu", mtuProblem(monitor.state));
    },
  });
}

function checkOptions(name: string, kind: TunKind, queues: number): void {
  // The kernel would take it for a pattern, and choose a name by itself.
  if (name.includes("%")) {
    throw new RangeError(`${kind}:${name}: a name has no percent sign`);
  }
  if (!Number.isInteger(queues) || queues < 1 || queues > TUN_QUEUES_MAX) {
    throw new RangeError(
      `${kind}:${name}: queues is ${queues}; it must be 1 to ${TUN_QUEUES_MAX}`,
    );
  }
}

/** The longest frame without tags that a page holds: what fills its room was cut off. */
const PAGE_FRAME_BYTES_MAX = PAGE_BYTES - HEADROOM_BYTES - 1 -
  VLAN_TAGS_MAX * VLAN_TAG_BYTES;

/** Why an interface's packets do not fit into a page, and what to do; undefined when they do. */
function mtuProblem(
  { name, frameBytesMax, mtu }: InterfaceState,
): string | undefined {
  if (frameBytesMax <= PAGE_FRAME_BYTES_MAX) return undefined;
  const mtuMax = PAGE_FRAME_BYTES_MAX - (frameBytesMax - mtu);
  return `interface ${name}: its MTU is ${mtu}, and a page holds ${mtuMax}; give packet memory extents, or \`ip link set ${name} mtu ${mtuMax}\``;
}

function infoOf(
  monitor: LinkMonitor,
  { kind, device, superPackets, steering }: {
    readonly kind: TunKind;
    readonly device: TunDevice;
    readonly superPackets: boolean;
    readonly steering: Disposable | undefined;
  },
): DriverInfo {
  const { descriptors, created, udpSegments } = device;
  const queues = descriptors.length;
  return {
    name: `${kind}:${monitor.state.name}`,
    mode: `${kind === "tap" ? "TAP" : "TUN"}, ${
      created ? "made for this" : "as it was"
    }, ${superPackets ? "super-packets" : "single packets"}${
      queues > 1 ? `, ${queues} queues${steering ? "" : ", not steered"}` : ""
    }`,
    get mac() {
      return kind === "tap" ? monitor.state.mac : TUN_PEER.slice();
    },
    get frameBytesMax() {
      return superPackets
        ? SUPER_BYTES_MAX
        : Math.min(monitor.state.frameBytesMax, PAGE_FRAME_BYTES_MAX);
    },
    get wireBytesMax() {
      return Math.min(monitor.state.frameBytesMax, this.frameBytesMax);
    },
    partialChecksums: false,
    offloads: OFFLOAD_CHECKSUM | offloadsGso(GSO_TCP4) |
      offloadsGso(GSO_TCP6) | (udpSegments ? offloadsGso(GSO_UDP) : 0),
  };
}
