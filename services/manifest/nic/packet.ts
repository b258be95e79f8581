/** A Linux interface through a packet socket: `packet:eth1`. */

import { given } from "../../../caps/kernel/given.ts";
import { readInterface } from "./interface_name.ts";
import type { NicKind } from "./kind.ts";

/** A Linux interface, through a packet socket. */
export interface PacketChoice {
  /** Which kind of NIC it is. */
  readonly kind: "packet";
  /** The interface's name in Linux. */
  readonly interfaceName: string;
}

/** What the driver is opened with. */
interface PacketOptions {
  readonly interfaceName: string;
  readonly awaited: boolean;
  readonly addresses?: readonly number[];
}

/** See {@link PacketChoice}. */
export const packet: NicKind<PacketChoice, PacketOptions> = {
  kind: "packet",
  form: "packet:IFNAME",
  help: [
    "a Linux interface through a packet socket, for where XDP is not",
    "to be had: the kernel keeps a copy of each packet; needs root, or",
    "CAP_NET_ADMIN and CAP_NET_RAW",
    "sallyport up --nic packet:eth1 --address 10.77.0.2/24",
  ],
  read: (text) => readInterface("packet", text),
  format: ({ interfaceName }) => interfaceName,
  permissions: () => ({ ffi: true }),
  options: ({ interfaceName }, { addresses, awaited }) => ({
    interfaceName,
    awaited,
    ...given({ addresses }),
  }),
  kernel: "copies",
  dropsOn: ({ interfaceName }) => `xdp:${interfaceName}`,
  mapped: true,
};
