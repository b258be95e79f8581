/** The drivers of the kinds of NIC that a manifest can name. */

import { openEmulatedNic } from "../../../drivers/emulated/nic.ts";
import { openPacketNic } from "../../../drivers/packet/nic.ts";
import { openPcapNic } from "../../../drivers/pcap/nic.ts";
import type { OpenDriver } from "../../../drivers/service/start.ts";
import { openTapNic } from "../../../drivers/tap/nic.ts";
import { openUdpNic } from "../../../drivers/tunnel/nic.ts";
import { openXdpNic } from "../../../drivers/xdp/nic.ts";
import type { NIC_KINDS, NicChoice } from "../../manifest/nic/nics.ts";

/** A kind's driver. */
export interface NicDriver<Options> {
  /** The folder in drivers/ whose worker.ts runs it. */
  readonly folder: string;
  /** Opens it in this thread. */
  readonly open: OpenDriver<Options>;
}

/** What the driver of a kind is opened with: the kind's options, and a link where it is on a wire. */
type OptionsOf<Kind> =
  & ReturnType<
    Extract<typeof NIC_KINDS[number], { readonly kind: Kind }>["options"]
  >
  & { readonly link: MessagePort };

/** By the kind's name. The compiler asks for each, with the options that its kind makes. */
export const NIC_DRIVERS: {
  readonly [Kind in NicChoice["kind"]]: NicDriver<OptionsOf<Kind>>;
} = {
  emulated: { folder: "emulated", open: openEmulatedNic },
  wire: { folder: "emulated", open: openEmulatedNic },
  xdp: { folder: "xdp", open: openXdpNic },
  packet: { folder: "packet", open: openPacketNic },
  tap: { folder: "tap", open: openTapNic },
  tun: { folder: "tap", open: openTapNic },
  pcap: { folder: "pcap", open: openPcapNic },
  udp: { folder: "tunnel", open: openUdpNic },
};
