/** The emulated wire as a system's NIC. */

import type { WireFaults } from "../../caps/driver/wire_faults.ts";
import type { PacketMemory } from "../../caps/memory/memory.ts";
import type { Driver } from "../driver.ts";
import { faultyDriver } from "../middleware/faults.ts";
import { openEmulated } from "./driver.ts";
import { openPortEnd } from "./port_end.ts";

/** What a system opens it with: plain data, and a port that is transferred. */
export interface EmulatedNicOptions {
  /** What people call it; `emulated` by default. */
  readonly name?: string;
  /** Its hardware address: six bytes. */
  readonly mac: Uint8Array;
  /** Where the other end of the wire is. */
  readonly link: MessagePort;
  /** Faults of frames between it and the wire, each way; none by default. */
  readonly faults?: WireFaults;
  /** What the choices of faults come from; 1 by default. */
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
