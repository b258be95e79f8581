/** The datagrams of one port of the system's own addresses. */

import type { ServiceSettings } from "../core/definition.ts";
import { ofVlan } from "../core/own_vlan.ts";
import { either, ethernet } from "../filter/grant/builder.ts";
import type { Grant } from "../filter/grant/grant.ts";
import { ownIpv4Texts } from "../ip/own_addresses.ts";
import { formatMac } from "../wire/address.ts";

/** Makes the grant for what comes to `port`. */
export function datagramsTo(settings: ServiceSettings, port: number): Grant {
  const link = ethernet().dst(formatMac(settings.mac));
  return either(
    ...ownIpv4Texts(settings).map((address) =>
      ofVlan(settings.vlan, link).ipv4().dst(address).udp().dstPort(port)
    ),
  );
}

/** Makes the grant for what leaves from it. */
export function datagramsFrom(settings: ServiceSettings, port: number): Grant {
  const link = ethernet().src(formatMac(settings.mac));
  return either(
    ...ownIpv4Texts(settings).map((address) =>
      ofVlan(settings.vlan, link).ipv4().src(address).udp().srcPort(port)
    ),
  );
}
