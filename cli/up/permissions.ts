/** Permissions that a run does not need are given up before it starts. */

import { logFilesOf } from "../../services/manifest/interposer.ts";
import type { Manifest } from "../../services/manifest/manifest.ts";
import type { NamedNic } from "../../services/manifest/nic/kind.ts";
import { servicesIn } from "../../services/manifest/place.ts";
import { NICS, type NicTable } from "../../services/manifest/nic/nics.ts";

/** What a process of ours may have. */
export type PermissionName = "ffi" | "net" | "read" | "run" | "write";

/** Names what the driver of this NIC needs in the process that starts it. */
export function permissionNamesOf(
  nic: NamedNic,
  nics: NicTable = NICS,
): PermissionName[] {
  const permissions = nics.kindOf(nic).permissions(nic);
  return Object.keys(permissions) as (keyof typeof permissions)[];
}

/**
 * Names what is needed to start this manifest's system: what its driver needs,
 * writing where there is a capture or a log, running Deno where the system starts
 * the processes of services itself, and reading for the code of workers.
 */
export function neededPermissions(
  manifest: Manifest,
  nics: NicTable = NICS,
): PermissionName[] {
  const writes = manifest.write !== undefined ||
    logFilesOf(manifest.services).length > 0;
  const names = new Set<PermissionName>([
    ...permissionNamesOf(manifest.nic, nics),
    "read",
  ]);
  if (writes) names.add("write");
  // A driver that calls the kernel starts them itself.
  const processes = servicesIn("process", manifest.services);
  if (processes.length > 0 && !names.has("ffi")) names.add("run");
  return [...names];
}

/**
 * Gives up what this manifest needs nothing of. What is given up does not come
 * back, and no worker can have it.
 */
export async function dropPermissions(manifest: Manifest): Promise<void> {
  await keepPermissions(neededPermissions(manifest));
}

/** Gives up everything but `kept`. */
export async function keepPermissions(
  kept: readonly PermissionName[],
): Promise<void> {
  for (const name of ["ffi", "net", "read", "run", "write"] as const) {
    if (!kept.includes(name)) await Deno.permissions.revoke({ name });
  }
}

/**
 * Gives up the rest, once every worker has what it needs: from then on the main
 * thread can neither call foreign functions, nor touch a file, nor open a socket.
 */
export async function dropRest(): Promise<void> {
  await keepPermissions([]);
}
