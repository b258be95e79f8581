/** A Linux interface as a system's NIC, awaited and captured to a file where that was asked. */

import type { PacketMemory } from "../../caps/memory/memory.ts";
import type { Driver } from "../driver.ts";
import { withCapture } from "../middleware/capture.ts";
import { interfaceUp } from "../sys/interface_up.ts";
import { openXdp } from "./open.ts";

/** What a system says of it: plain data. */
export interface XdpNicOptions {
  readonly interfaceName: string;
  /** Packets that looking for some takes from the NIC itself; none unless given. */
  readonly busyPollPackets?: number;
  /** Whether to wait for an interface that is not there, or down; false unless given. */
  readonly awaited?: boolean;
  /** Where to capture what crosses it. */
  readonly write?: string;
}

/** Opens it, once it is there. @throws what {@link openXdp} does, and when `signal` is aborted meanwhile. */
export async function openXdpNic(
  options: XdpNicOptions,
  memory: PacketMemory,
  signal?: AbortSignal,
): Promise<Driver> {
  const { interfaceName, busyPollPackets, write } = options;
  if (options.awaited) await interfaceUp(interfaceName, signal);
  const driver = openXdp({ interfaceName, memory, busyPollPackets });
  return withCapture(driver, memory, write);
}
