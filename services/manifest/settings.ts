/** What a service is told of itself. */

import type { NicAbilities } from "../../caps/driver/messages.ts";
import { given } from "../../caps/kernel/given.ts";
import type { ServiceSettings } from "../core/definition.ts";
import type { Manifest } from "./manifest.ts";
import { HOLDING_FIELDS, type ServiceManifest } from "./service.ts";

/**
 * Makes the settings of a service: the system's addresses, what the NIC takes, its own
 * VLAN, and the fields that only its core has, of which a module has none.
 */
export function settingsOf(
  system: Pick<Manifest, "address" | "addresses" | "mac">,
  service: ServiceManifest,
  { mtu, offloads }: NicAbilities,
): ServiceSettings {
  const { address, prefixBits } = system.address;
  const own = service.core === "module" ? [] : Object.entries(service)
    .filter(([field]) => field !== "core" && !HOLDING_FIELDS.includes(field));
  const { addresses, mac } = system;
  const { vlan } = service;
  return {
    ...Object.fromEntries(own),
    address,
    prefixBits,
    addresses,
    mac,
    mtu,
    offloads,
    ...given({ vlan }),
  };
}
