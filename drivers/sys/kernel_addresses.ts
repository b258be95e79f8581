/** The IPv4 addresses that the kernel has for itself. */

import { IFNAMSIZ, IFREQ_BYTES, SIOCGIFCONF } from "./abi.ts";
import { InterfaceRequest } from "./interface_request.ts";
import { addressOf } from "./libc.ts";

/** More addresses than are looked through. */
const ADDRESSES_MAX = 1024;

/** The kernel's addresses in this network namespace, in host byte order, each with its interface. */
function kernelAddresses(): Map<number, string> {
  const found = new Map<number, string>();
  using request = new InterfaceRequest("");
  const list = new Uint8Array(ADDRESSES_MAX * IFREQ_BYTES);
  // struct ifconf (linux/if.h) { int ifc_len; struct ifreq *ifc_req }
  request.view.setInt32(0, list.length, true);
  request.view.setBigUint64(8, addressOf(list), true);
  if (request.tries(SIOCGIFCONF) !== 0) return found;
  const bytes = request.view.getInt32(0, true);
  const view = new DataView(list.buffer);
  for (let at = 0; at < bytes; at += IFREQ_BYTES) {
    const bytesOfName = list.subarray(at, at + IFNAMSIZ);
    const name = new TextDecoder().decode(bytesOfName);
    // Behind family and port of a struct sockaddr_in.
    const address = view.getUint32(at + IFNAMSIZ + 4);
    if (!found.has(address)) found.set(address, name.replace(/[\0:].*$/s, ""));
  }
  return found;
}

/** Says which of `addresses`, in host byte order, is the kernel's own too, and what to do; undefined when none is. */
export function addressTaken(
  where: string,
  addresses: readonly number[] = [],
): string | undefined {
  if (addresses.length === 0) return undefined;
  const kernels = kernelAddresses();
  for (const address of addresses) {
    const name = kernels.get(address);
    if (name !== undefined) return describeTaken(where, address, name);
  }
  return undefined;
}

function describeTaken(where: string, address: number, name: string): string {
  const text = [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff)
    .join(".");
  return `${where}: ${text} is an address of this machine's kernel too, on ${name}, and two answer for it; choose another one with --address, or take it from the kernel: \`ip address\` shows it, \`ip address del\` removes it`;
}
