/** ICMP echo in a manifest: `{"core": "icmp-echo"}`. */

import type { ProtocolOf } from "../core/protocol.ts";
import { icmpEchoService } from "./service.ts";

/** ICMP echo, of which a system has one service at most. */
export const icmpEcho: ProtocolOf<"icmp-echo"> = {
  name: "icmp-echo",
  fields: {},
  distinctBy: [],
  example: { core: "icmp-echo" },
  definition: icmpEchoService,
};
