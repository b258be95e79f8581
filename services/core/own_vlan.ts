/** The VLAN that a service is in, or none. */

import type { EthernetFrames, TaggedFrames } from "../filter/grant/builder.ts";

/**
 * Takes the frames of one VLAN, of those that `link` has. Without a VLAN these are
 * untagged; frames with a tag of VLAN 0, which says a priority and nothing else, are
 * added where a service is connected (filter/grant/priority_tagged.ts).
 */
export function ofVlan(
  vlan: number | undefined,
  link: EthernetFrames,
): TaggedFrames {
  return vlan === undefined || vlan === 0 ? link : link.vlan(vlan);
}
