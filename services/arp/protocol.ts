/** ARP in a manifest: `{"core": "arp"}`. */

import type { ProtocolOf } from "../core/protocol.ts";
import { arpService } from "./service.ts";

/** ARP, of which a system has one service at most. */
export const arp: ProtocolOf<"arp"> = {
  name: "arp",
  fields: {},
  distinctBy: [],
  example: { core: "arp" },
  definition: arpService,
};
