/** A capture file as a system's NIC. */

import type { PacketMemory } from "../../caps/memory/memory.ts";
import type { Driver } from "../driver.ts";
import { openPcap } from "./driver.ts";

/** What a system opens the NIC with: plain data. */
export interface PcapNicOptions {
  readonly path: string;
  readonly pace: "at-once" | "recorded";
}

/** Opens the capture, to be replayed. */
export function openPcapNic(
  options: PcapNicOptions,
  memory: PacketMemory,
): Driver {
  return openPcap({ ...options, memory });
}
