/** The UDP echo service (RFC 862). */

import type { ServiceDefinition, ServiceSettings } from "../core/definition.ts";
import { ethernet } from "../filter/grant/builder.ts";
import { formatIpv4, formatMac } from "../wire/address.ts";
import { makeUdpEcho, UDP_ECHO_PORT } from "./core.ts";

/** What the service is told of itself. */
export interface UdpEchoSettings extends ServiceSettings {
  /** Where it listens; 7 by default. */
  readonly port?: number;
}

/** Sends back whatever comes to its port. */
export const udpEchoService: ServiceDefinition<UdpEchoSettings> = {
  receives: ({ address, mac, port = UDP_ECHO_PORT }) =>
    ethernet().dst(formatMac(mac)).ipv4().dst(formatIpv4(address)).udp()
      .dstPort(port).grant,
  sends: ({ address, mac, port = UDP_ECHO_PORT }) =>
    ethernet().src(formatMac(mac)).ipv4().src(formatIpv4(address)).udp()
      .srcPort(port).grant,
  make: (settings) => makeUdpEcho(settings),
};
