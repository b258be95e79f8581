/** A TAP or TUN as a system's NIC, captured to a file where that was asked. */

import type { PacketMemory } from "../../caps/memory/memory.ts";
import type { Driver } from "../driver.ts";
import { withCapture } from "../middleware/capture.ts";
import type { TunKind } from "../sys/tun_device.ts";
import { openTap } from "./open.ts";

/** What a system says of it: plain data. */
export interface TapNicOptions {
  readonly kind: TunKind;
  readonly interfaceName: string;
  /** Queues of the interface; one if not given. */
  readonly queues?: number;
  /** The address that a TUN's packets are to. */
  readonly mac: Uint8Array;
  /** Where to capture what crosses it. */
  readonly write?: string;
}

/** Opens it. */
export function openTapNic(
  options: TapNicOptions,
  memory: PacketMemory,
): Driver {
  const { write, ...rest } = options;
  return withCapture(openTap({ ...rest, memory }), memory, write);
}
