/** A capture file as a system's NIC, captured to another where that was asked. */

import type { PacketMemory } from "../../caps/memory/memory.ts";
import type { Driver } from "../driver.ts";
import { withCapture } from "../middleware/capture.ts";
import { openPcap } from "./driver.ts";

/** What a system says of it: plain data. */
export interface PcapNicOptions {
  readonly path: string;
  readonly pace: "at-once" | "recorded";
  /** Where to capture what crosses it. */
  readonly write?: string;
}

/** Opens it. */
export function openPcapNic(
  options: PcapNicOptions,
  memory: PacketMemory,
): Driver {
  const { path, pace, write } = options;
  return withCapture(openPcap({ path, memory, pace }), memory, write);
}
