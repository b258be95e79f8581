/** The emulated wire as a system's NIC, captured to a file where that was asked. */

import type { PacketMemory } from "../../caps/memory/memory.ts";
import type { Driver } from "../driver.ts";
import { type FaultRates, faultyDriver } from "../middleware/faults.ts";
import { withCapture } from "../middleware/capture.ts";
import { openEmulated } from "./driver.ts";
import { openPortEnd } from "./port_end.ts";

/** What a system says of it: plain data, and a port that is transferred. */
export interface EmulatedNicOptions {
  /** What people call it; `emulated` if not given. */
  readonly name?: string;
  /** Its hardware address: six bytes. */
  readonly mac: Uint8Array;
  /** Where the other end of the wire is. */
  readonly link: MessagePort;
  /** What befalls frames between it and the wire, each way; nothing if not given. */
  readonly faults?: FaultRates;
  /** What faults come from. */
  readonly seed?: number;
  /** Where to capture what crosses it. */
  readonly write?: string;
}

/** Opens it. */
export function openEmulatedNic(
  options: EmulatedNicOptions,
  memory: PacketMemory,
): Driver {
  const { name = "emulated", mac, link, faults, seed = 1, write } = options;
  const end = openPortEnd(link);
  const plain = openEmulated({ memory, mac, end, name });
  const driver = faults === undefined ? plain : faultyDriver(plain, {
    memory,
    seed,
    receive: faults,
    transmit: faults,
  });
  return withCapture(driver, memory, write);
}
