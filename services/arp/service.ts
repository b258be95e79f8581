/** ARP as a service: receives the questions for its address, and sends answers for it. */

import type { ServiceDefinition } from "../core/definition.ts";
import { ofVlan } from "../core/own_vlan.ts";
import { either, ethernet } from "../filter/grant/builder.ts";
import { formatIpv4, formatMac } from "../wire/address.ts";
import { makeArp } from "./core.ts";

/** Where questions go whose asker does not know who answers; others go to one host. */
const BROADCAST = "ff:ff:ff:ff:ff:ff";

/** Answers for the system's own address; everybody else's questions stay the kernel's. */
export const arpService: ServiceDefinition = {
  receives: ({ address, mac, vlan }) => {
    const asked = (to: string) =>
      ofVlan(vlan, ethernet().dst(to)).arp().request()
        .target(formatIpv4(address));
    return either(asked(BROADCAST), asked(formatMac(mac)));
  },
  sends: ({ address, mac, vlan }) =>
    ofVlan(vlan, ethernet().src(formatMac(mac))).arp()
      .sender(formatIpv4(address)).grant,
  make: ({ address, mac }) => makeArp({ address, mac }),
};
