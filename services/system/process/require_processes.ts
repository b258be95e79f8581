/** Whether services can be in processes of their own, on the NIC of a manifest. */

import type { Manifest } from "../../manifest/manifest.ts";
import { NICS } from "../../manifest/nic/nics.ts";

/**
 * Refuses a service that is to be in a process where nobody can start one: the
 * NIC's driver does, by the C library.
 * @throws {Error} with the name of the service, and what to do.
 */
export function requireProcesses(
  { nic, services }: Manifest,
  { ownNic }: { readonly ownNic: boolean },
): void {
  const { permissions, kind } = NICS.kindOf(nic);
  if (!ownNic && permissions(nic).ffi === true) return;
  for (const [name, { place }] of Object.entries(services)) {
    if (place !== "process") continue;
    const which = ownNic ? "the program's own NIC" : `a NIC of kind ${kind}`;
    throw new Error(
      `boot: service ${name}: ${which} cannot start a process; take xdp, packet, tap or tun, or "place": "worker"`,
    );
  }
}
