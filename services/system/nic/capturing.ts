/** A NIC whose packets are captured to a file as well. */

import type { WorkerPermissions } from "../../runtime/start_worker.ts";
import type { Nic } from "../parts.ts";

/**
 * Adds the capture that a manifest asks for to any NIC: its driver may write that
 * file, and is not started again when it crashes. The file would begin again too,
 * over what was captured.
 */
export function capturing(
  nic: Nic,
  { write }: { readonly write?: string },
): Nic {
  if (write === undefined) return nic;
  const permissions = mayWrite(nic.part.permissions, write);
  const part = { ...nic.part, permissions };
  return { ...nic, part, write, restarts: false };
}

function mayWrite(given: WorkerPermissions, path: string): WorkerPermissions {
  if (given === "none") return { write: [path] };
  const { write = false } = given;
  // A right to all files, or to what the program may write, has this one too.
  if (write === true || write === "inherit") return given;
  return { ...given, write: [...(write === false ? [] : write), path] };
}
