/** A Linux interface as a system's NIC through a packet socket, captured to a file where that was asked. */

import type { PacketMemory } from "../../caps/memory/memory.ts";
import type { Driver } from "../driver.ts";
import { withCapture } from "../middleware/capture.ts";
import { interfaceUp } from "../sys/interface_up.ts";
import { openPacket } from "./open.ts";

/** What a system says of it: plain data. */
export interface PacketNicOptions {
  readonly interfaceName: string;
  /** Whether to wait for an interface that is not there, or down; false unless given. */
  readonly awaited?: boolean;
  /** Where to capture what crosses it. */
  readonly write?: string;
}

/** Opens it, once it is there. @throws what {@link openPacket} does, and when `signal` is aborted meanwhile. */
export async function openPacketNic(
  options: PacketNicOptions,
  memory: PacketMemory,
  signal?: AbortSignal,
): Promise<Driver> {
  const { interfaceName, awaited, write } = options;
  if (awaited) await interfaceUp(interfaceName, signal);
  return withCapture(openPacket({ interfaceName, memory }), memory, write);
}
