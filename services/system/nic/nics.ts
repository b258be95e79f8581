/** The NICs that a manifest can name: each one's driver, and what that may do. */

import {
  type EmulatedNicOptions,
  openEmulatedNic,
} from "../../../drivers/emulated/nic.ts";
import { plugIntoWire } from "../../../drivers/emulated/named_wire.ts";
import {
  openPacketNic,
  type PacketNicOptions,
} from "../../../drivers/packet/nic.ts";
import { openPcapNic, type PcapNicOptions } from "../../../drivers/pcap/nic.ts";
import {
  type DriverStart,
  type OpenDriver,
  startDriver,
} from "../../../drivers/service/start.ts";
import { openTapNic, type TapNicOptions } from "../../../drivers/tap/nic.ts";
import { openUdpNic, type UdpNicOptions } from "../../../drivers/tunnel/nic.ts";
import { openXdpNic, type XdpNicOptions } from "../../../drivers/xdp/nic.ts";
import type { Manifest, NicChoice } from "../../manifest/manifest.ts";
import { formatSocketAddress } from "../../manifest/socket_address.ts";
import type { Part } from "../../runtime/thread.ts";
import type { WorkerPermissions } from "../../runtime/start_worker.ts";
import type { Nic } from "../parts.ts";
import { capturing } from "./capturing.ts";

/** What every kind of NIC is made from. */
interface Context {
  readonly manifest: Manifest;
  /** Whether an interface that is not there is waited for. */
  readonly awaited: boolean;
}

type Choice<Kind extends NicChoice["kind"]> = Extract<
  NicChoice,
  { readonly kind: Kind }
>;

/** The NIC of a manifest: its driver, and what that may do. */
export function nicOf(manifest: Manifest, awaited = false): Nic {
  return capturing(openable(manifest.nic, { manifest, awaited }), manifest);
}

function openable(nic: NicChoice, context: Context): Nic {
  switch (nic.kind) {
    case "emulated":
      return emulatedNic(context);
    case "wire":
      return wireNic(nic, context);
    case "xdp":
      return xdpNic(nic, context);
    case "packet":
      return packetNic(nic, context);
    case "tap":
    case "tun":
      return tapNic(nic, context);
    case "pcap":
      return pcapNic(nic, context);
    case "udp":
      return udpNic(nic, context);
  }
}

function emulatedNic({ manifest }: Context): Nic {
  const link = new MessageChannel();
  const options: EmulatedNicOptions = {
    mac: manifest.mac,
    link: link.port1,
  };
  return {
    part: nicPart("emulated", openEmulatedNic, {}),
    options,
    transfer: [link.port1],
    peer: link.port2,
  };
}

/** A NIC on a wire of this process, and a peer there where that was asked. */
function wireNic(
  { name, peer, faults }: Choice<"wire">,
  { manifest }: Context,
): Nic {
  const cable = plugIntoWire(name);
  const peers = peer ? plugIntoWire(name) : undefined;
  const options: EmulatedNicOptions = {
    name: `wire:${name}`,
    mac: manifest.mac,
    link: cable.link,
    seed: manifest.seed,
    ...(Object.keys(faults).length === 0 ? {} : { faults }),
  };
  return {
    part: nicPart("emulated", openEmulatedNic, {}),
    options,
    transfer: [cable.link],
    ...(peers === undefined ? {} : { peer: peers.link }),
    release: () => {
      cable[Symbol.dispose]();
      peers?.[Symbol.dispose]();
    },
  };
}

function xdpNic(
  { interfaceName }: Choice<"xdp">,
  { manifest, awaited }: Context,
): Nic {
  const { busyPoll, unclaimed } = manifest;
  const options: XdpNicOptions = {
    interfaceName,
    awaited,
    ...(busyPoll === undefined ? {} : { busyPollPackets: busyPoll }),
  };
  return {
    part: nicPart("xdp", openXdpNic, { ffi: true }),
    options,
    transfer: [],
    mapped: true,
    kernel: { unclaimed },
  };
}

function packetNic(
  { interfaceName }: Choice<"packet">,
  { awaited }: Context,
): Nic {
  const options: PacketNicOptions = { interfaceName, awaited };
  return {
    part: nicPart("packet", openPacketNic, { ffi: true }),
    options,
    transfer: [],
    mapped: true,
    socket: true,
  };
}

function tapNic(
  choice: Choice<"tap" | "tun">,
  { manifest }: Context,
): Nic {
  const { mac } = manifest;
  const options: TapNicOptions = { ...choice, mac };
  return {
    part: nicPart("tap", openTapNic, { ffi: true }),
    options,
    transfer: [],
    mapped: true,
  };
}

function pcapNic(
  { path }: Choice<"pcap">,
  { manifest }: Context,
): Nic {
  const options: PcapNicOptions = { path, pace: manifest.pace };
  return {
    part: nicPart("pcap", openPcapNic, { read: [path] }),
    options,
    transfer: [],
    restarts: false, // a replay would begin at the beginning
  };
}

/** A tunnel, which may use the network between its two addresses alone. */
function udpNic(
  { local, peer, key }: Choice<"udp">,
  { manifest }: Context,
): Nic {
  const { mac } = manifest;
  const options: UdpNicOptions = { mac, local, peer, key };
  const permissions = {
    net: [formatSocketAddress(local), formatSocketAddress(peer)],
    read: [key],
  };
  return {
    part: nicPart("tunnel", openUdpNic, permissions),
    options,
    transfer: [],
  };
}

function nicPart<Options>(
  folder: string,
  open: OpenDriver<Options>,
  permissions: Exclude<WorkerPermissions, "none">,
): Part<DriverStart<unknown>> {
  return {
    worker: new URL(`../../../drivers/${folder}/worker.ts`, import.meta.url),
    permissions: Object.keys(permissions).length === 0 ? "none" : permissions,
    here: (start) =>
      void startDriver(start as DriverStart<Options>, open, true),
  };
}
