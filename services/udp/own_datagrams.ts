/** The datagrams of one port of the system's own address. */

import type { ServiceSettings } from "../core/definition.ts";
import { ofVlan } from "../core/own_vlan.ts";
import { ethernet } from "../filter/grant/builder.ts";
import type { Grant } from "../filter/grant/grant.ts";
import { formatIpv4, formatMac } from "../wire/address.ts";

/** Makes the grant for what comes to `port`. */
export function datagramsTo(
  { address, mac, vlan }: ServiceSettings,
  port: number,
): Grant {
  return ofVlan(vlan, ethernet().dst(formatMac(mac))).ipv4()
    .dst(formatIpv4(address)).udp().dstPort(port).grant;
}

/** Makes the grant for what leaves from it. */
export function datagramsFrom(
  { address, mac, vlan }: ServiceSettings,
  port: number,
): Grant {
  return ofVlan(vlan, ethernet().src(formatMac(mac))).ipv4()
    .src(formatIpv4(address)).udp().srcPort(port).grant;
}
