/** The UDP echo service (RFC 862). */

import type { ServiceDefinition, ServiceSettings } from "../core/definition.ts";
import { datagramsFrom, datagramsTo } from "../udp/own_datagrams.ts";
import { makeUdpEcho, UDP_ECHO_PORT } from "./core.ts";

/** What the service is told of itself. */
export interface UdpEchoSettings extends ServiceSettings {
  /** Where it listens; 7 by default. */
  readonly port?: number;
}

/** Sends back whatever comes to its port. */
export const udpEchoService: ServiceDefinition<UdpEchoSettings> = {
  receives: ({ port = UDP_ECHO_PORT, ...settings }) =>
    datagramsTo(settings, port),
  sends: ({ port = UDP_ECHO_PORT, ...settings }) =>
    datagramsFrom(settings, port),
  make: (settings) => makeUdpEcho(settings),
};
