/** ICMP echo as a service. */

import type { ServiceDefinition } from "../core/definition.ts";
import { ofVlan } from "../core/own_vlan.ts";
import { either, ethernet } from "../filter/grant/builder.ts";
import { ownIpv4Texts } from "../ip/own_addresses.ts";
import { formatMac } from "../wire/address.ts";
import { makeIcmpEcho } from "./core.ts";

const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;

/** Answers pings of the system's own addresses. */
export const icmpEchoService: ServiceDefinition = {
  receives: (settings) => {
    const link = ethernet().dst(formatMac(settings.mac));
    return either(
      ...ownIpv4Texts(settings).map((address) =>
        ofVlan(settings.vlan, link).ipv4().dst(address).icmp()
          .type(ECHO_REQUEST)
      ),
    );
  },
  sends: (settings) => {
    const link = ethernet().src(formatMac(settings.mac));
    return either(
      ...ownIpv4Texts(settings).map((address) =>
        ofVlan(settings.vlan, link).ipv4().src(address).icmp().type(ECHO_REPLY)
      ),
    );
  },
  make: (settings) => makeIcmpEcho(settings),
};
