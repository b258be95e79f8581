/** The wires of this process, by name: each a switch that several NICs are on. */

import { openPortEnd } from "./port_end.ts";
import { Switch } from "./switch.ts";

/** The most wires at one time. */
const WIRES_MAX = 64;

const wires = new Map<string, Switch>();

/** A cable to a wire. Disposal takes the link down. */
export interface Cable extends Disposable {
  /** The end for the NIC, which may be in another worker. */
  readonly link: MessagePort;
}

/**
 * Plugs a cable into the wire `name`, which is there from the first cable to
 * the last.
 * @throws {Error} when it has all the NICs that it can have, or there are too many wires.
 */
export function plugIntoWire(name: string): Cable {
  forgetIdle();
  const found = wires.get(name);
  if (found === undefined && wires.size === WIRES_MAX) {
    throw new Error(
      `wire:${name}: this process has ${WIRES_MAX} wires already; stop the systems on one of them`,
    );
  }
  const wire = found ?? new Switch();
  const channel = new MessageChannel();
  const end = openPortEnd(channel.port1);
  try {
    wire.plug(end);
  } catch (error) {
    end[Symbol.dispose]();
    channel.port2.close();
    throw new Error(`wire:${name}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  wires.set(name, wire);
  return {
    link: channel.port2,
    [Symbol.dispose]: () => {
      wire.unplug(end);
      forgetIdle();
    },
  };
}

/** NICs on the wire `name`. */
export function nicsOnWire(name: string): number {
  return wires.get(name)?.portCount ?? 0;
}

function forgetIdle(): void {
  for (const [name, wire] of wires) {
    if (wire.portCount === 0) wires.delete(name);
  }
}
