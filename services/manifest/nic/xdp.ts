/** A Linux interface through AF_XDP: `xdp:eth1`. */

import { given } from "../../../caps/kernel/given.ts";
import { readInterface } from "./interface_name.ts";
import type { NicKind } from "./kind.ts";

/** A Linux interface, through AF_XDP. */
export interface XdpChoice {
  /** Which kind of NIC it is. */
  readonly kind: "xdp";
  /** The interface's name in Linux. */
  readonly interfaceName: string;
}

/** What the driver is opened with. */
interface XdpOptions {
  readonly interfaceName: string;
  readonly awaited: boolean;
  readonly addresses?: readonly number[];
  readonly busyPollPackets?: number;
}

/** See {@link XdpChoice}. */
export const xdp: NicKind<XdpChoice, XdpOptions> = {
  kind: "xdp",
  form: "xdp:IFNAME",
  help: [
    "a Linux interface through AF_XDP, beside the kernel; needs root,",
    "or CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF and CAP_PERFMON",
    "sallyport up --nic xdp:eth1 --address 10.77.0.2/24",
  ],
  read: (text) => readInterface("xdp", text),
  format: ({ interfaceName }) => interfaceName,
  permissions: () => ({ ffi: true }),
  options: ({ interfaceName }, { addresses, awaited, busyPoll }) => ({
    interfaceName,
    awaited,
    ...given({ addresses, busyPollPackets: busyPoll }),
  }),
  kernel: "takes",
  polled: true,
  mapped: true,
};
