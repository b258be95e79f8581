/**
 * Offloads that keep a part of the frame from XDP: a VLAN tag that is in no byte
 * of it makes a tagged frame look untagged to every grant, and what a NIC has
 * merged is not what came.
 */

import type { NetworkInterface } from "../sys/network_interface.ts";
import { activeFeatures, vethPeerOf } from "../sys/interface_features.ts";

/** By the kernel's name of a feature: what ethtool calls it, and what it does. */
const HIDING: Readonly<
  Record<string, readonly [option: string, does: string]>
> = {
  "rx-vlan-hw-parse": ["rxvlan", "takes VLAN tags off"],
  "rx-vlan-stag-hw-parse": ["rx-vlan-stag-hw-parse", "takes VLAN tags off"],
  "rx-lro": ["lro", "merges packets"],
  "rx-gro-hw": ["rx-gro-hw", "merges packets"],
};

/** What the other end of a veth leaves out of its frames, as {@link HIDING}. */
const VETH_HIDING: readonly (readonly [feature: string, option: string])[] = [
  ["tx-vlan-hw-insert", "txvlan"],
  ["tx-vlan-stag-hw-insert", "tx-vlan-stag-hw-insert"],
];

/** What is hidden of frames that come to `face`, in words and with what to do; undefined when nothing is. */
export function hiddenParts(face: NetworkInterface): string | undefined {
  return face.driver === "veth"
    ? ofVeth(face)
    : hiddenByNic(face.name, activeFeatures(face.index));
}

/** What a NIC whose features `on` are on hides, in words; undefined for nothing. */
export function hiddenByNic(
  name: string,
  on: ReadonlySet<string>,
): string | undefined {
  const hiding = Object.keys(HIDING).filter((feature) => on.has(feature));
  if (hiding.length === 0) return undefined;
  const does = new Set(hiding.map((feature) => HIDING[feature]![1]));
  const options = hiding.map((feature) => `${HIDING[feature]![0]} off`);
  return `xdp:${name}: its hardware ${
    [...does].join(" and ")
  } before a frame is looked at, and grants do not see that; \`ethtool -K ${name} ${
    options.join(" ")
  }\``;
}

/** Asks the other end of a veth; where that is in another namespace, this end, which is mostly set as that one. */
function ofVeth({ name, index }: NetworkInterface): string | undefined {
  const peer = vethPeerOf(index);
  const here = peer !== undefined && peer !== index &&
    vethPeerOf(peer) === index;
  const on = activeFeatures(here ? peer : index);
  const options = VETH_HIDING.filter(([feature]) => on.has(feature))
    .map(([, option]) => `${option} off`);
  if (options.length === 0) return undefined;
  return `xdp:${name}: the other end of this veth ${
    here ? "leaves" : "may leave"
  } VLAN tags out of its frames, and grants do not see them; \`ethtool -K\` at both ends with ${
    options.join(" ")
  }`;
}
