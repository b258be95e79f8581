/** What a service is told of itself. */

import type { NicAbilities } from "../../caps/driver/messages.ts";
import { given } from "../../caps/kernel/given.ts";
import type { ServiceSettings } from "../core/definition.ts";
import { firstIpv4 } from "./interface_address.ts";
import type { Manifest } from "./manifest.ts";
import { HOLDING_FIELDS, type ServiceManifest } from "./service.ts";

/**
 * Makes the settings of a service: its addresses, what the NIC takes, its own VLAN,
 * and the fields that only its core has, of which a module has none.
 */
export function settingsOf(
  system: Pick<Manifest, "addresses" | "mac">,
  service: ServiceManifest,
  { mtu, offloads }: NicAbilities,
): ServiceSettings {
  const own = service.core === "module" ? [] : Object.entries(service)
    .filter(([field]) => field !== "core" && !HOLDING_FIELDS.includes(field));
  const { vlan, addresses = system.addresses } = service;
  const { address, prefixBits } = firstIpv4(addresses);
  return {
    ...Object.fromEntries(own),
    address,
    prefixBits,
    addresses,
    mac: system.mac,
    mtu,
    offloads,
    ...given({ vlan }),
  };
}
