/** UDP echo in a manifest: `{"core": "udp-echo", "port": 7}`. */

import type { ProtocolOf } from "../core/protocol.ts";
import { wholeNumber } from "../fields/field.ts";
import { UDP_ECHO_PORT } from "./core.ts";
import { udpEchoService } from "./service.ts";

/** The fields of its services in a manifest. */
export interface UdpEchoFields {
  /** Where it listens: 1 to 65535. */
  readonly port: number;
}

/** What a person writes. */
export interface UdpEchoWritten {
  /** For `udp-echo`: where it listens, 1 to 65535; 7 by default. */
  readonly port?: number | undefined;
}

/** UDP echo, with as many services as there are ports. */
export const udpEcho: ProtocolOf<"udp-echo", UdpEchoFields, UdpEchoWritten> = {
  name: "udp-echo",
  fields: { port: wholeNumber(1, 65535).default(UDP_ECHO_PORT) },
  distinctBy: ["port"],
  example: { core: "udp-echo", port: UDP_ECHO_PORT },
  definition: udpEchoService,
};
