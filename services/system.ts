/**
 * The system: the one file that decides who is connected to whom, and what each
 * part may do.
 *
 * ```
 *                  ┌───────── system ─────────┐
 *         control  │             │            │ control
 *                  ▼             ▼            ▼
 *   driver ◄──orders──► filter ◄──requests── service
 *      ▲                                      ▲
 *      └────────────── data ──────────────────┘
 * ```
 *
 * It makes packet memory and holds it for as long as it runs, holds the NIC's
 * root capability, derives one envelope from it for each service in the
 * manifest, and hands every part the ports that the manifest gives it, and
 * nothing else.
 */

import {
  type EmulatedNicOptions,
  openEmulatedNic,
} from "../drivers/emulated/nic.ts";
import { openPacketNic, type PacketNicOptions } from "../drivers/packet/nic.ts";
import { openPcapNic, type PcapNicOptions } from "../drivers/pcap/nic.ts";
import {
  type DriverStart,
  type OpenDriver,
  startDriver,
} from "../drivers/service/shell.ts";
import { openTapNic, type TapNicOptions } from "../drivers/tap/nic.ts";
import { openXdpNic, type XdpNicOptions } from "../drivers/xdp/nic.ts";
import { arpService } from "./arp/service.ts";
import { requireConfinement } from "./confinement.ts";
import type { ServiceDefinition } from "./definition.ts";
import { startFilterService } from "./filter/start.ts";
import { icmpEchoService } from "./icmp-echo/service.ts";
import type { Manifest } from "./manifest.ts";
import { startService } from "./shell.ts";
import { moduleParts } from "./system/module_part.ts";
import { startPeer } from "./system/peer_start.ts";
import type { RunOptions, System } from "./system/handle.ts";
import type { Nic, Parts } from "./system/parts.ts";
import { type PluggedNic, pluggedNic } from "./system/plugged_nic.ts";
import { RunningSystem } from "./system/running.ts";
import type { Part, WorkerPermissions } from "./thread.ts";
import { udpEchoService } from "./udp-echo/service.ts";

export type { PluggedNic };
export type {
  Ending,
  OpenOptions,
  Restart,
  RunOptions as BootOptions,
  System,
} from "./system/handle.ts";

/**
 * Starts the system that `manifest` describes. Resolves when packets flow.
 *
 * @throws {ModuleError} when a third party's service is not accepted; nothing
 * was started.
 * @throws when the NIC cannot be opened, a service's filter is refused, or
 * workers cannot be confined and are to be, with what happened and what to do in
 * one line; nothing is left behind.
 */
export async function boot(
  manifest: Manifest,
  options: RunOptions,
): Promise<System> {
  if (options.confined) requireConfinement();
  const modules = await moduleParts(manifest, options);
  const { nic, confined } = options;
  const plug = nic === undefined
    ? {}
    : { nic: () => pluggedNic(nic, confined) };
  const parts = { ...PARTS, modules, ...plug };
  const system = new RunningSystem(manifest, parts, options);
  await system.start();
  return system;
}

/** The parts that {@link boot} puts together. */
export const PARTS: Parts = {
  filter: {
    worker: new URL("./filter/worker.ts", import.meta.url),
    permissions: "none",
    here: startFilterService,
  },
  peer: {
    worker: new URL("./system/peer_worker.ts", import.meta.url),
    permissions: "none",
    here: startPeer,
  },
  services: {
    "arp": servicePart("arp", arpService),
    "icmp-echo": servicePart("icmp-echo", icmpEchoService),
    "udp-echo": servicePart("udp-echo", udpEchoService),
  },
  nic: nicOf,
};

function servicePart(
  name: string,
  definition: ServiceDefinition,
): Parts["services"][string] {
  return {
    definition,
    worker: new URL(`./${name}/worker.ts`, import.meta.url),
    permissions: "none",
    limited: true,
    here: (start) => void startService(definition, start),
  };
}

/** The NIC of a manifest: its driver, and what that may do. */
function nicOf(manifest: Manifest, awaited = false): Nic {
  const { nic, mac, pace, write, busyPoll } = manifest;
  const capture = write === undefined ? {} : { write };
  const mayWrite: Readonly<Record<string, readonly string[]>> =
    write === undefined ? {} : { write: [write] };
  // A capture that is written would be begun anew over what was written.
  const lasting = { restarts: write === undefined };
  switch (nic.kind) {
    case "emulated": {
      const link = new MessageChannel();
      const options: EmulatedNicOptions = { mac, link: link.port1, ...capture };
      const permissions = write === undefined ? "none" : mayWrite;
      const part = nicPart("emulated", openEmulatedNic, permissions);
      const transfer = [link.port1];
      return { part, options, transfer, peer: link.port2, ...lasting };
    }
    case "xdp": {
      const options: XdpNicOptions = {
        interfaceName: nic.interfaceName,
        awaited,
        ...(busyPoll === undefined ? {} : { busyPollPackets: busyPoll }),
        ...capture,
      };
      const part = nicPart("xdp", openXdpNic, { ffi: true, ...mayWrite });
      return {
        part,
        options,
        transfer: [],
        mapped: true,
        ...lasting,
        kernel: { unclaimed: manifest.unclaimed },
      };
    }
    case "packet": {
      const options: PacketNicOptions = {
        interfaceName: nic.interfaceName,
        awaited,
        ...capture,
      };
      const part = nicPart("packet", openPacketNic, { ffi: true, ...mayWrite });
      const transfer: Transferable[] = [];
      return {
        part,
        options,
        transfer,
        mapped: true,
        ...lasting,
        socket: true,
      };
    }
    case "tap":
    case "tun": {
      const { kind, interfaceName } = nic;
      const options: TapNicOptions = { kind, interfaceName, mac, ...capture };
      const part = nicPart("tap", openTapNic, { ffi: true, ...mayWrite });
      return { part, options, transfer: [], mapped: true, ...lasting };
    }
    case "pcap": {
      const options: PcapNicOptions = { path: nic.path, pace, ...capture };
      const part = nicPart("pcap", openPcapNic, {
        read: [nic.path],
        ...mayWrite,
      });
      // A replay would begin at the beginning.
      return { part, options, transfer: [], restarts: false };
    }
  }
}

function nicPart<Options>(
  name: string,
  open: OpenDriver<Options>,
  permissions: WorkerPermissions,
): Part<DriverStart<unknown>> {
  return {
    worker: new URL(`../drivers/${name}/worker.ts`, import.meta.url),
    permissions,
    here: (start) =>
      void startDriver(start as DriverStart<Options>, open, true),
  };
}
