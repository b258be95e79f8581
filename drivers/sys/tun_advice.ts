/** What to do when /dev/net/tun cannot be opened. */

import { Errno } from "./abi.ts";

/**
 * What to do about error `failed` of open(2). The file has an owner and a mode,
 * whatever capabilities a process has: those are asked for when it attaches to an
 * interface.
 */
export function adviceToOpen(failed: number): string {
  switch (failed) {
    case Errno.ENOENT:
    case Errno.ENODEV:
    case Errno.ENXIO:
      return "`modprobe tun`, or give the container that device";
    case Errno.EACCES:
      return "this user may not open it, whatever its capabilities: run as root, or give it its usual mode back with `chmod 666 /dev/net/tun`";
    case Errno.EPERM:
      return "the container does not allow that device: give it the device, with CAP_NET_ADMIN";
  }
  return "run as root, or with CAP_NET_ADMIN";
}
