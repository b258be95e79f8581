/** The emulated NIC, or an interface, with a driver that crashes after so many packets. */

import type { PacketMemory } from "../../caps/memory/memory.ts";
import type { Driver } from "../../drivers/driver.ts";
import {
  type EmulatedNicOptions,
  openEmulatedNic,
} from "../../drivers/emulated/nic.ts";
import { openPacketNic } from "../../drivers/packet/nic.ts";
import { openXdpNic, type XdpNicOptions } from "../../drivers/xdp/nic.ts";

/** How it crashes: in its loop, where the driver service closes it, or in a timer, where nothing does. */
export type Crash = "throws" | "throws-aside";

/** Options of the emulated NIC, and when to crash. */
export interface CrashingNicOptions extends EmulatedNicOptions {
  readonly crash: Crash;
  readonly goodPackets: number;
}

/** An interface's, with what it is to do. */
export type CrashingXdpOptions =
  & XdpNicOptions
  & Pick<CrashingNicOptions, "crash" | "goodPackets">;

/** Opens an interface. */
export async function openCrashingXdpNic(
  options: CrashingXdpOptions,
  memory: PacketMemory,
): Promise<Driver> {
  return crashing(await openXdpNic(options, memory), options);
}

/** Opens an interface through a packet socket. */
export async function openCrashingPacketNic(
  options: CrashingXdpOptions,
  memory: PacketMemory,
): Promise<Driver> {
  return crashing(await openPacketNic(options, memory), options);
}

/** Opens it. */
export async function openCrashingNic(
  options: CrashingNicOptions,
  memory: PacketMemory,
): Promise<Driver> {
  return crashing(await openEmulatedNic(options, memory), options);
}

/** Makes a driver crash once it has received enough. */
function crashing(
  driver: Driver,
  { crash, goodPackets }: Pick<CrashingNicOptions, "crash" | "goodPackets">,
): Driver {
  const receive = driver.receive.bind(driver);
  let good = 0;
  const wrong = () => {
    throw new Error("the wire is on fire");
  };
  driver.receive = (batch, max) => {
    if (good >= goodPackets) {
      if (crash === "throws") wrong();
      setTimeout(wrong);
      return 0;
    }
    const count = receive(batch, max);
    good += count;
    return count;
  };
  return driver;
}
