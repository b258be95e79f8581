/** The IPv4 frames of a host's own addresses, as services ask for them. */

import type { ServiceSettings } from "../core/definition.ts";
import { ofVlan } from "../core/own_vlan.ts";
import {
  either,
  ethernet,
  type EthernetFrames,
  type HasGrant,
  type IpFrames,
} from "../filter/grant/builder.ts";
import type { Grant } from "../filter/grant/grant.ts";
import { formatMac } from "../wire/address.ts";
import { ownIpv4Texts } from "./own_addresses.ts";

/** Makes the grant for those of the frames to each own address that `narrow` takes. */
export function ipv4To(
  settings: ServiceSettings,
  narrow: (frames: IpFrames) => HasGrant,
): Grant {
  const link = ethernet().dst(formatMac(settings.mac));
  return ofEach(settings, link, (frames, own) => narrow(frames.dst(own)));
}

/** Makes the grant for those of the frames from each own address that `narrow` takes. */
export function ipv4From(
  settings: ServiceSettings,
  narrow: (frames: IpFrames) => HasGrant,
): Grant {
  const link = ethernet().src(formatMac(settings.mac));
  return ofEach(settings, link, (frames, own) => narrow(frames.src(own)));
}

function ofEach(
  settings: ServiceSettings,
  link: EthernetFrames,
  narrow: (frames: IpFrames, own: string) => HasGrant,
): Grant {
  const frames = ofVlan(settings.vlan, link).ipv4();
  return either(
    ...ownIpv4Texts(settings).map((address) => narrow(frames, address)),
  );
}
