/** The VLAN that a service is in, or none. */

import {
  either,
  type EthernetFrames,
  type HasGrant,
  type TaggedFrames,
} from "../filter/grant/builder.ts";
import type { Grant } from "../filter/grant/grant.ts";

/**
 * Makes a grant for the frames of one VLAN. Without a VLAN it takes untagged
 * frames, and those with a tag of VLAN 0, which says a priority and nothing else
 * (IEEE 802.1Q, clause 6.9.1). `link` says the Ethernet addresses, `packets` what
 * such frames carry.
 */
export function ofVlan(
  vlan: number | undefined,
  link: EthernetFrames,
  packets: (frames: TaggedFrames) => HasGrant,
): Grant {
  if (vlan !== undefined && vlan !== 0) return packets(link.vlan(vlan)).grant;
  return either(packets(link), packets(link.vlan(0)));
}
