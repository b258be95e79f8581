/** A TAP or TUN as a system's NIC. */

import type { PacketMemory } from "../../caps/memory/memory.ts";
import type { Driver } from "../driver.ts";
import type { TunKind } from "../sys/tun_device.ts";
import { openTap } from "./open.ts";

/** What a system opens the NIC with: plain data. */
export interface TapNicOptions {
  readonly kind: TunKind;
  readonly interfaceName: string;
  /** Queues of the interface; one by default. */
  readonly queues?: number;
  /** The address that a TUN's packets are to. */
  readonly mac: Uint8Array;
}

/** Makes the interface and opens its other end. */
export function openTapNic(
  options: TapNicOptions,
  memory: PacketMemory,
): Driver {
  return openTap({ ...options, memory });
}
