/** An emulated wire with several NICs, as a person names it: `wire:lab,peer,loss=0.01`. */

/** How often each befalls a frame on its way between NIC and wire; never if not given. */
export interface WireFaults {
  /** It vanishes. */
  readonly loss?: number;
  /** It comes twice. */
  readonly duplication?: number;
  /** Some later frames overtake it. */
  readonly reordering?: number;
  /** One bit of it is turned. */
  readonly corruption?: number;
  /** It loses some of its end. */
  readonly truncation?: number;
}

/** A NIC on a wire of this process. */
export interface WireChoice {
  /** Which kind of NIC it is. */
  readonly kind: "wire";
  /** Systems that name the same wire are on it together. */
  readonly name: string;
  /** Whether the system brings a peer onto the wire, as on `emulated`. */
  readonly peer: boolean;
  /** What befalls its frames, by the manifest's seed. */
  readonly faults: WireFaults;
}

/** How it is written. */
export const WIRE_FORM = "wire:NAME";

/** What can befall a frame; each is a rate from 0 to 1. */
const FAULT_NAMES = [
  "loss",
  "duplication",
  "reordering",
  "corruption",
  "truncation",
] as const;

const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;
/** As a number is written, down to what is no rate any more. */
const RATE = /^(\d{0,1}\.\d{1,15}|\d|\d(\.\d{1,15})?e-\d)$/;

/** Reads what follows `wire:`. */
export function readWire(
  text: string,
): WireChoice | { readonly problem: string } {
  const [name = "", ...options] = text.split(",");
  const wrong = (problem: string) => ({
    problem: `expected ${WIRE_FORM}[,peer][,loss=RATE…]; ${problem}`,
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

/** The text that stands for it. */
export function formatWire({ name, peer, faults }: WireChoice): string {
  const rates = FAULT_NAMES.filter((one) => faults[one] !== undefined)
    .map((one) => `${one}=${faults[one]}`);
  return `wire:${[name, ...(peer ? ["peer"] : []), ...rates].join(",")}`;
}
