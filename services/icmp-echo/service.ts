/** ICMP echo as a service. */

import type { ServiceDefinition } from "../core/definition.ts";
import { ofVlan } from "../core/own_vlan.ts";
import { ethernet } from "../filter/grant/builder.ts";
import { formatIpv4, formatMac } from "../wire/address.ts";
import { makeIcmpEcho } from "./core.ts";

const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;

/** Answers pings of the system's own address. */
export const icmpEchoService: ServiceDefinition = {
  receives: ({ address, mac, vlan }) =>
    ofVlan(vlan, ethernet().dst(formatMac(mac))).ipv4()
      .dst(formatIpv4(address)).icmp().type(ECHO_REQUEST).grant,
  sends: ({ address, mac, vlan }) =>
    ofVlan(vlan, ethernet().src(formatMac(mac))).ipv4()
      .src(formatIpv4(address)).icmp().type(ECHO_REPLY).grant,
  make: (settings) => makeIcmpEcho(settings),
};
