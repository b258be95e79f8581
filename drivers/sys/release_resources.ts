/** Closes and ends what a terminated thread has left. */

import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  PROT_READ_WRITE,
} from "./abi.ts";
import { killChild } from "./child_end.ts";
import { takeResources } from "./resource_list.ts";
import { libc } from "./libc.ts";

/**
 * Closes and ends everything in the list: the interface is as it was before. Mappings
 * are replaced by empty memory rather than removed: it cannot be proved that the
 * dead thread's last call has returned, and it must not find somebody else's there.
 */
export function releaseLeftResources(memory: SharedArrayBuffer): void {
  const holdings = takeResources(memory);
  const one = new BigUint64Array([1n]);
  // While a poll is under way, the kernel keeps its descriptors open.
  for (const holding of holdings) {
    if (holding.kind === "waker") libc().write(holding.descriptor, one, 8n);
  }
  for (const holding of holdings) {
    if (holding.kind !== "mapping") continue;
    libc().mmap(
      Deno.UnsafePointer.create(holding.address),
      holding.sizeBytes,
      PROT_READ_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
      -1,
      0n,
    );
  }
  for (const holding of holdings) {
    if (holding.kind === "child") killChild(holding.pid);
    else if (holding.kind !== "mapping") libc().close(holding.descriptor);
  }
}
