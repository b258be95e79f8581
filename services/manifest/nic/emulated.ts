/** The emulated NIC: `emulated`. */

import type { NicKind } from "./kind.ts";

/** An in-memory wire with a peer on it. */
export interface EmulatedChoice {
  /** Which kind of NIC it is. */
  readonly kind: "emulated";
}

/** See {@link EmulatedChoice}. */
export const emulated: NicKind<EmulatedChoice, { readonly mac: Uint8Array }> = {
  kind: "emulated",
  form: "emulated",
  help: [
    "an in-memory wire with a peer that sends ARP, ping and UDP",
    "sallyport up --for 5s",
  ],
  read: () => ({ kind: "emulated" }),
  format: () => "",
  permissions: () => ({}),
  options: (_choice, { mac }) => ({ mac }),
  wire: () => ({ peer: true }),
};
