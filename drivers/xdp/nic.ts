/** A Linux interface as a system's NIC through AF_XDP. */

import type { PacketMemory } from "../../caps/memory/memory.ts";
import type { Driver } from "../driver.ts";
import { interfaceUp } from "../sys/interface_up.ts";
import { openXdp } from "./open.ts";

/** What a system opens the NIC with: plain data. */
export interface XdpNicOptions {
  readonly interfaceName: string;
  /** Packets that one look into the rings polls from the NIC; none by default. */
  readonly busyPollPackets?: number;
  /** The IPv4 addresses that are answered on, in host byte order; none by default. */
  readonly addresses?: readonly number[];
  /** Whether to wait for an interface that is not there, or down; false by default. */
  readonly awaited?: boolean;
}

/** Opens the interface, once it is there. @throws what {@link openXdp} does, and when `signal` is aborted meanwhile. */
export async function openXdpNic(
  options: XdpNicOptions,
  memory: PacketMemory,
  signal?: AbortSignal,
): Promise<Driver> {
  const { interfaceName, addresses, busyPollPackets, awaited } = options;
  if (awaited) await interfaceUp(interfaceName, signal);
  return openXdp({ interfaceName, memory, addresses, busyPollPackets });
}
