/** ICMP echo as a service. */

import type { ServiceDefinition } from "../core/definition.ts";
import { ipv4From, ipv4To } from "../ip/own_frames.ts";
import { makeIcmpEcho } from "./core.ts";

const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;

/** Answers pings of the system's own addresses. */
export const icmpEchoService: ServiceDefinition = {
  receives: (settings) =>
    ipv4To(settings, (frames) => frames.icmp().type(ECHO_REQUEST)),
  sends: (settings) =>
    ipv4From(settings, (frames) => frames.icmp().type(ECHO_REPLY)),
  make: (settings) => makeIcmpEcho(settings),
};
