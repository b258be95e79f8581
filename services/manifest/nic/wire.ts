/** An emulated wire with several NICs, as a person names it: `wire:lab,peer,loss=0.01`. */

import {
  FAULT_NAMES,
  type WireFaults,
} from "../../../caps/driver/wire_faults.ts";
import type { NicKind, NicProblem } from "./kind.ts";

/** A NIC on a wire of this process. */
export interface WireChoice {
  /** Which kind of NIC it is. */
  readonly kind: "wire";
  /** Systems that name the same wire are on it together. */
  readonly name: string;
  /** Whether the system brings a peer onto the wire, as on `emulated`. */
  readonly peer: boolean;
  /** Faults of frames between NIC and wire, by the manifest's seed. */
  readonly faults: WireFaults;
}

/** What the driver is opened with, besides its link. */
interface WireOptions {
  readonly name: string;
  readonly mac: Uint8Array;
  readonly seed: number;
  readonly faults?: WireFaults;
}

const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;
/** How a rate is written: digits, a point, and an exponent down to 1e-9. */
const RATE = /^(\d{0,1}\.\d{1,15}|\d|\d(\.\d{1,15})?e-\d)$/;

/** See {@link WireChoice}. */
export const wire: NicKind<WireChoice, WireOptions> = {
  kind: "wire",
  form: "wire:NAME",
  help: [
    "a wire for several systems of one program. Behind commas:",
    "peer (as on emulated), and by --seed at rates loss,",
    "duplication, reordering, corruption, truncation",
    "sallyport up --nic wire:lab,peer,loss=0.1 --for 5s",
  ],
  read: readWire,
  format: ({ name, peer, faults }) => {
    const rates = FAULT_NAMES.filter((one) => faults[one] !== undefined)
      .map((one) => `${one}=${faults[one]}`);
    return [name, ...(peer ? ["peer"] : []), ...rates].join(",");
  },
  permissions: () => ({}),
  options: ({ name, faults }, { mac, seed }) => ({
    name: `wire:${name}`,
    mac,
    seed,
    ...(Object.keys(faults).length === 0 ? {} : { faults }),
  }),
  wire: ({ name, peer }) => ({ name, peer }),
};

function readWire(text: string): WireChoice | NicProblem {
  const [name = "", ...options] = text.split(",");
  const wrong = (problem: string) => ({
    problem: `expected wire:NAME[,peer][,loss=RATE…]; ${problem}`,
  });
  if (!NAME.test(name)) {
    return wrong(
      "a wire's name is 1 to 32 lower-case letters, digits and dashes, and begins with no dash",
    );
  }
  let peer = false;
  const faults: Record<string, number> = {};
  for (const option of options) {
    const [word = "", rate] = option.split("=", 2);
    if (option === "peer" && !peer) peer = true;
    else if (!FAULT_NAMES.some((one) => one === word) || rate === undefined) {
      return wrong(`its options are peer, ${FAULT_NAMES.join(", ")}`);
    } else if (word in faults) return wrong(`${word} is given twice`);
    else if (!RATE.test(rate) || Number(rate) > 1) {
      return wrong(`${word} is a rate from 0 (never) to 1 (always)`);
    } else faults[word] = Number(rate);
  }
  return { kind: "wire", name, peer, faults };
}
