/** A Linux interface as a system's NIC, captured to a file where that was asked. */

import type { PacketMemory } from "../../caps/memory.ts";
import type { Driver } from "../driver.ts";
import { withCapture } from "../pcap/capture.ts";
import { openXdp } from "./open.ts";

/** What a system says of it: plain data. */
export interface XdpNicOptions {
  readonly interfaceName: string;
  /** Where to capture what crosses it. */
  readonly write?: string;
}

/** Opens it. */
export function openXdpNic(
  options: XdpNicOptions,
  memory: PacketMemory,
): Driver {
  const { interfaceName, write } = options;
  return withCapture(openXdp({ interfaceName, memory }), memory, write);
}
