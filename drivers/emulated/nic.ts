/** The emulated wire as a system's NIC, captured to a file where that was asked. */

import type { PacketMemory } from "../../caps/memory.ts";
import type { Driver } from "../driver.ts";
import { withCapture } from "../pcap/capture.ts";
import { openEmulated } from "./driver.ts";
import { openPortEnd } from "./port_end.ts";

/** What a system says of it: plain data, and a port that is transferred. */
export interface EmulatedNicOptions {
  /** Its hardware address: six bytes. */
  readonly mac: Uint8Array;
  /** Where the other end of the wire is. */
  readonly link: MessagePort;
  /** Where to capture what crosses it. */
  readonly write?: string;
}

/** Opens it. */
export function openEmulatedNic(
  options: EmulatedNicOptions,
  memory: PacketMemory,
): Driver {
  const { mac, link, write } = options;
  const driver = openEmulated({ memory, mac, end: openPortEnd(link) });
  return withCapture(driver, memory, write);
}
