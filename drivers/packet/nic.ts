/** A Linux interface as a system's NIC through a packet socket. */

import type { PacketMemory } from "../../caps/memory/memory.ts";
import type { Driver } from "../driver.ts";
import { interfaceUp } from "../sys/interface_up.ts";
import { openPacket } from "./open.ts";

/** What a system opens the NIC with: plain data. */
export interface PacketNicOptions {
  readonly interfaceName: string;
  /** The IPv4 addresses that are answered on, in host byte order; none by default. */
  readonly addresses?: readonly number[];
  /** Whether to wait for an interface that is not there, or down; false by default. */
  readonly awaited?: boolean;
}

/** Opens the interface, once it is there. @throws what {@link openPacket} does, and when `signal` is aborted meanwhile. */
export async function openPacketNic(
  options: PacketNicOptions,
  memory: PacketMemory,
  signal?: AbortSignal,
): Promise<Driver> {
  const { interfaceName, addresses, awaited } = options;
  if (awaited) await interfaceUp(interfaceName, signal);
  return openPacket({ interfaceName, memory, addresses });
}
