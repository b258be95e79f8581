/** The protocol cores that a manifest can name. A new one is a folder, and a word here. */

import { arp } from "../arp/protocol.ts";
import type { ServiceSettings } from "../core/definition.ts";
import { icmpEcho } from "../icmp-echo/protocol.ts";
import { udpEcho } from "../udp-echo/protocol.ts";

/** All protocols. */
export const CORES = [arp, icmpEcho, udpEcho] as const;

/** The name of a protocol core. */
export type CoreName = typeof CORES[number]["name"];

/** The names of the protocol cores. */
export const CORE_NAMES: readonly CoreName[] = CORES.map(({ name }) => name);

/** A service's core, with the fields that only this core has. */
export type CoreManifest = {
  readonly [Core in typeof CORES[number] as Core["name"]]:
    & { readonly core: Core["name"] }
    & Omit<
      Parameters<Core["definition"]["make"]>[0],
      keyof ServiceSettings
    >;
}[CoreName];

/** {@link CoreManifest} as a person writes it. */
export type CoreManifestInput = typeof CORES[number]["example"];
