/** ARP as a service: receives the questions for its address, and sends answers for it. */

import type { ServiceDefinition } from "../core/definition.ts";
import { arp, ethernet } from "../filter/grant/builder.ts";
import { formatIpv4, formatMac } from "../wire/address.ts";
import { makeArp } from "./core.ts";

/** Answers for the system's own address; everybody else's questions stay the kernel's. */
export const arpService: ServiceDefinition = {
  receives: ({ address }) => arp().request().target(formatIpv4(address)).grant,
  sends: ({ address, mac }) =>
    ethernet().src(formatMac(mac)).arp().sender(formatIpv4(address)).grant,
  make: ({ address, mac }) => makeArp({ address, mac }),
};
