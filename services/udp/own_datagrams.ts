/** The datagrams of one port of the system's own addresses. */

import type { ServiceSettings } from "../core/definition.ts";
import type { Grant } from "../filter/grant/grant.ts";
import { ipv4From, ipv4To } from "../ip/own_frames.ts";

/** Makes the grant for what comes to `port`. */
export function datagramsTo(settings: ServiceSettings, port: number): Grant {
  return ipv4To(settings, (frames) => frames.udp().dstPort(port));
}

/** Makes the grant for what leaves from it. */
export function datagramsFrom(settings: ServiceSettings, port: number): Grant {
  return ipv4From(settings, (frames) => frames.udp().srcPort(port));
}
