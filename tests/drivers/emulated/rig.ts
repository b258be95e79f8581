/** An emulated NIC with the other end of its wire, for the conformance suite. */

import { makePacketMemory } from "../../../caps/memory/memory.ts";
import type { Driver } from "../../../drivers/driver.ts";
import { openEmulated } from "../../../drivers/emulated/driver.ts";
import { makeWire, type WireEnd } from "../../../drivers/emulated/wire.ts";
import type { DriverRig } from "../../conformance/driver.ts";

/** A locally administered address. */
export const MAC: Uint8Array = Uint8Array.of(2, 0, 0, 0, 0, 1);

/** Small rings, so that they fill; `wrap` puts a middleware around the driver. */
export function emulatedRig(
  wrap: (driver: Driver, rig: Pick<DriverRig, "memory">) => Driver = (d) => d,
): DriverRig {
  const memory = makePacketMemory(64);
  const [end, far] = makeWire();
  const emulated = openEmulated({ memory, end, mac: MAC, ringFrames: 16 });
  const driver = wrap(emulated, { memory });
  return {
    driver,
    memory,
    ...farSide(far),
    [Symbol.asyncDispose]: () => {
      driver[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}

/** All that has arrived at `end`. */
export function collectFrom(end: WireEnd): Uint8Array[] {
  const frames: Uint8Array[] = [];
  while (end.peek() > 0) {
    const frame = new Uint8Array(end.peek());
    end.receive(frame, 0);
    frames.push(frame);
  }
  return frames;
}

/** Far end of a driver's wire, as tests use it. */
export function farSide(far: WireEnd): Pick<DriverRig, "inject" | "collect"> {
  return {
    inject: (frames) => {
      for (const frame of frames) far.send(frame, 0, frame.length);
    },
    collect: () => collectFrom(far),
  };
}
