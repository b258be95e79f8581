/** Whether services can be in processes of their own, on the NIC of a manifest. */

import type { Manifest } from "../../manifest/manifest.ts";
import { NICS } from "../../manifest/nic/nics.ts";
import { servicesIn } from "../../manifest/place.ts";
import {
  denoPath,
  permittedDeno,
} from "../../runtime/process/permitted_deno.ts";

/**
 * Refuses a service that is to be in a process where nobody can start one: the
 * NIC's driver does by the C library, or the system by the permission to run Deno.
 * @throws {Error} with the name of the service, and what to do.
 */
export function requireProcesses(
  { nic, services }: Manifest,
  { ownNic }: { readonly ownNic: boolean },
): void {
  const { permissions, kind } = NICS.kindOf(nic);
  if (!ownNic && permissions(nic).ffi === true) return;
  if (permittedDeno() !== undefined) return;
  const [name] = servicesIn("process", services);
  if (name === undefined) return;
  const which = ownNic ? "the program's own NIC" : `a NIC of kind ${kind}`;
  throw new Error(
    `boot: service ${name}: ${which} starts no process, and this program may not run Deno to start one; run it with --allow-run=${denoPath()}, or give the service another place`,
  );
}
