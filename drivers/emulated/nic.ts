/** The emulated wire as a system's NIC. */

import type { WireFaults } from "../../caps/driver/wire_faults.ts";
import type { PacketMemory } from "../../caps/memory/memory.ts";
import type { Driver } from "../driver.ts";
import { faultyDriver } from "../middleware/faults.ts";
import { openEmulated } from "./driver.ts";
import { openPortEnd } from "./port_end.ts";

/** What a system opens the NIC with: plain data, and a port that is transferred. */
export interface EmulatedNicOptions {
  /** The NIC's name for people; `emulated` by default. */
  readonly name?: string;
  /** The NIC's hardware address: six bytes. */
  readonly mac: Uint8Array;
  /** The wire; its other end is in the system's thread. */
  readonly link: MessagePort;
  /** Faults of frames between it and the wire, each way; none by default. */
  readonly faults?: WireFaults;
  /** The seed of the faults; 1 by default. */
  readonly seed?: number;
}

/** Opens a NIC at the other end of `options.link`. */
export function openEmulatedNic(
  options: EmulatedNicOptions,
  memory: PacketMemory,
): Driver {
  const { name = "emulated", mac, link, faults, seed = 1 } = options;
  const end = openPortEnd(link);
  const plain = openEmulated({ memory, mac, end, name });
  if (faults === undefined) return plain;
  return faultyDriver(plain, {
    memory,
    seed,
    receive: faults,
    transmit: faults,
  });
}
