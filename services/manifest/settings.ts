/** What a service is told of itself. */

import type { ServiceSettings } from "../core/definition.ts";
import type { InterfaceAddress } from "./interface_address.ts";
import { HOLDING_FIELDS, type ServiceManifest } from "./service.ts";

/**
 * Makes the settings of a service: the system's addresses, and the fields that
 * only its core has. A module gets the addresses alone.
 */
export function settingsOf(
  system: { readonly address: InterfaceAddress; readonly mac: Uint8Array },
  service: ServiceManifest,
): ServiceSettings {
  const { address, prefixBits } = system.address;
  const own = service.core === "module" ? [] : Object.entries(service)
    .filter(([field]) => field !== "core" && !HOLDING_FIELDS.includes(field));
  return { ...Object.fromEntries(own), address, prefixBits, mac: system.mac };
}
