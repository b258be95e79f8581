/** Permissions that a run does not need are given up before it starts. */

import { logFilesOf } from "../../services/manifest/interposer.ts";
import type { Manifest } from "../../services/manifest/manifest.ts";

/**
 * Gives up what this manifest needs nothing of: foreign functions without a
 * mapped NIC, the network without a tunnel, writing without a capture to write.
 * What is given up does not come back, and no worker can have it.
 */
export async function dropPermissions(manifest: Manifest): Promise<void> {
  if (!["xdp", "packet", "tap", "tun"].includes(manifest.nic.kind)) {
    await Deno.permissions.revoke({ name: "ffi" });
  }
  if (manifest.nic.kind !== "udp") {
    await Deno.permissions.revoke({ name: "net" });
  }
  const logs = logFilesOf(manifest.services);
  if (manifest.write === undefined && logs.length === 0) {
    await Deno.permissions.revoke({ name: "write" });
  }
}

/** What a process of ours may have. */
export type PermissionName = "ffi" | "net" | "read" | "write";

/** Gives up everything but `kept`. */
export async function keepPermissions(
  kept: readonly PermissionName[],
): Promise<void> {
  for (const name of ["ffi", "net", "read", "write"] as const) {
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
