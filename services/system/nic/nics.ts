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

/** What every kind of NIC is made from. */
interface Context {
  readonly manifest: Manifest;
  /** Whether an interface that is not there is waited for. */
  readonly awaited: boolean;
  /** Where to capture what crosses it, if anywhere. */
  readonly capture: { readonly write?: string };
  /** The permission to do so. */
  readonly mayWrite: { readonly write?: readonly string[] };
  /** A capture that is written would be begun anew over what was written. */
  readonly lasting: { readonly restarts: boolean };
}

type Choice<Kind extends NicChoice["kind"]> = Extract<
  NicChoice,
  { readonly kind: Kind }
>;

/** The NIC of a manifest: its driver, and what that may do. */
export function nicOf(manifest: Manifest, awaited = false): Nic {
  const { nic, write } = manifest;
  const context: Context = {
    manifest,
    awaited,
    capture: write === undefined ? {} : { write },
    mayWrite: write === undefined ? {} : { write: [write] },
    lasting: { restarts: write === undefined },
  };
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

function emulatedNic({ manifest, capture, mayWrite, lasting }: Context): Nic {
  const link = new MessageChannel();
  const options: EmulatedNicOptions = {
    mac: manifest.mac,
    link: link.port1,
    ...capture,
  };
  return {
    part: nicPart("emulated", openEmulatedNic, mayWrite),
    options,
    transfer: [link.port1],
    peer: link.port2,
    ...lasting,
  };
}

/** A NIC on a wire of this process, and a peer there where that was asked. */
function wireNic(
  { name, peer, faults }: Choice<"wire">,
  { manifest, capture, mayWrite, lasting }: Context,
): Nic {
  const cable = plugIntoWire(name);
  const peers = peer ? plugIntoWire(name) : undefined;
  const options: EmulatedNicOptions = {
    name: `wire:${name}`,
    mac: manifest.mac,
    link: cable.link,
    seed: manifest.seed,
    ...(Object.keys(faults).length === 0 ? {} : { faults }),
    ...capture,
  };
  return {
    part: nicPart("emulated", openEmulatedNic, mayWrite),
    options,
    transfer: [cable.link],
    ...(peers === undefined ? {} : { peer: peers.link }),
    release: () => {
      cable[Symbol.dispose]();
      peers?.[Symbol.dispose]();
    },
    ...lasting,
  };
}

function xdpNic(
  { interfaceName }: Choice<"xdp">,
  { manifest, awaited, capture, mayWrite, lasting }: Context,
): Nic {
  const { busyPoll, unclaimed } = manifest;
  const options: XdpNicOptions = {
    interfaceName,
    awaited,
    ...(busyPoll === undefined ? {} : { busyPollPackets: busyPoll }),
    ...capture,
  };
  return {
    part: nicPart("xdp", openXdpNic, { ffi: true, ...mayWrite }),
    options,
    transfer: [],
    mapped: true,
    kernel: { unclaimed },
    ...lasting,
  };
}

function packetNic(
  { interfaceName }: Choice<"packet">,
  { awaited, capture, mayWrite, lasting }: Context,
): Nic {
  const options: PacketNicOptions = { interfaceName, awaited, ...capture };
  return {
    part: nicPart("packet", openPacketNic, { ffi: true, ...mayWrite }),
    options,
    transfer: [],
    mapped: true,
    socket: true,
    ...lasting,
  };
}

function tapNic(
  choice: Choice<"tap" | "tun">,
  { manifest, capture, mayWrite, lasting }: Context,
): Nic {
  const { mac } = manifest;
  const options: TapNicOptions = { ...choice, mac, ...capture };
  return {
    part: nicPart("tap", openTapNic, { ffi: true, ...mayWrite }),
    options,
    transfer: [],
    mapped: true,
    ...lasting,
  };
}

function pcapNic(
  { path }: Choice<"pcap">,
  { manifest, capture, mayWrite }: Context,
): Nic {
  const options: PcapNicOptions = { path, pace: manifest.pace, ...capture };
  return {
    part: nicPart("pcap", openPcapNic, { read: [path], ...mayWrite }),
    options,
    transfer: [],
    restarts: false, // a replay would begin at the beginning
  };
}

/** A tunnel, which may use the network between its two addresses alone. */
function udpNic(
  { local, peer, key }: Choice<"udp">,
  { manifest, capture, mayWrite, lasting }: Context,
): Nic {
  const { mac } = manifest;
  const options: UdpNicOptions = { mac, local, peer, key, ...capture };
  const permissions = {
    net: [formatSocketAddress(local), formatSocketAddress(peer)],
    read: [key],
    ...mayWrite,
  };
  return {
    part: nicPart("tunnel", openUdpNic, permissions),
    options,
    transfer: [],
    ...lasting,
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
