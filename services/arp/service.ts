/** ARP as a service: receives the questions for its addresses, and sends answers for them. */

import type { ServiceDefinition } from "../core/definition.ts";
import { ofVlan } from "../core/own_vlan.ts";
import { either, ethernet } from "../filter/grant/builder.ts";
import { ownIpv4Texts } from "../ip/own_addresses.ts";
import { formatMac } from "../wire/address.ts";
import { makeArp } from "./core.ts";

/** Where questions go whose asker does not know who answers; others go to one host. */
const BROADCAST = "ff:ff:ff:ff:ff:ff";

/** Answers for the system's own addresses; everybody else's questions stay the kernel's. */
export const arpService: ServiceDefinition = {
  receives: (settings) => {
    const { mac, vlan } = settings;
    const asked = (to: string, address: string) =>
      ofVlan(vlan, ethernet().dst(to)).arp().request().target(address);
    return either(
      ...ownIpv4Texts(settings).flatMap((address) => [
        asked(BROADCAST, address),
        asked(formatMac(mac), address),
      ]),
    );
  },
  sends: (settings) => {
    const { mac, vlan } = settings;
    return either(
      ...ownIpv4Texts(settings).map((address) =>
        ofVlan(vlan, ethernet().src(formatMac(mac))).arp().sender(address)
      ),
    );
  },
  make: (settings) => makeArp(settings),
};
