/** What a manifest may say of its NIC, whichever that is. */

import type { Complain } from "./error.ts";
import { showValue } from "../fields/show_value.ts";
import { formatNic, isBesideKernel, type NicChoice } from "./nic.ts";

/** Complains of what this NIC does not have. */
export function checkNic(
  manifest: {
    readonly nic: NicChoice;
    readonly unclaimed?: string | undefined;
    readonly write?: string | undefined;
    readonly recover?: boolean | undefined;
    readonly busyPoll?: number | undefined;
  },
  complain: Complain,
): void {
  const { nic, unclaimed, write, recover, busyPoll } = manifest;
  if (recover === true && !isBesideKernel(nic)) {
    complain(
      ["recover"],
      `expected false: ${formatNic(nic)} is no interface that comes back`,
    );
  }
  if (recover === true && write !== undefined) {
    complain(
      ["recover"],
      "expected false: a capture that is written would be begun anew",
    );
  }
  if (busyPoll !== undefined && nic.kind !== "xdp") {
    complain(
      ["busyPoll"],
      `expected nothing: ${formatNic(nic)} is not polled`,
    );
  }
  if (unclaimed === "drop" && nic.kind === "packet") {
    complain(
      ["unclaimed"],
      `expected "kernel": behind a packet socket the kernel has its own copy of every packet; xdp:${nic.interfaceName} can drop them`,
    );
  }
  if (unclaimed === "kernel" && !isBesideKernel(nic)) {
    complain(
      ["unclaimed"],
      `expected "drop": behind ${formatNic(nic)} there is no kernel`,
    );
  }
  if (nic.kind === "udp" && nic.key === write) {
    complain(
      ["write"],
      `expected another file than the tunnel's key, got ${showValue(write)}`,
    );
  }
  if (nic.kind === "pcap" && nic.path === write) {
    complain(
      ["write"],
      `expected another file than the capture that is replayed, got ${
        showValue(write)
      }`,
    );
  }
}
