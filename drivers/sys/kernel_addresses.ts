/** The IPv4 addresses that the kernel has for itself. */

import { IFNAMSIZ, IFREQ_BYTES, SIOCGIFCONF } from "./abi.ts";
import { InterfaceRequest } from "./interface_request.ts";
import { addressOf } from "./libc.ts";

/** More addresses than are looked through. */
const ADDRESSES_MAX = 1024;

/** The interface of this network namespace on which the kernel has `address`, in host byte order; undefined for none. */
function kernelInterfaceOf(address: number): string | undefined {
  using request = new InterfaceRequest("");
  const list = new Uint8Array(ADDRESSES_MAX * IFREQ_BYTES);
  // struct ifconf (linux/if.h) { int ifc_len; struct ifreq *ifc_req }
  request.view.setInt32(0, list.length, true);
  request.view.setBigUint64(8, addressOf(list), true);
  if (request.tries(SIOCGIFCONF) !== 0) return undefined;
  const bytes = request.view.getInt32(0, true);
  const view = new DataView(list.buffer);
  for (let at = 0; at < bytes; at += IFREQ_BYTES) {
    // Behind family and port of a struct sockaddr_in.
    if (view.getUint32(at + IFNAMSIZ + 4) !== address) continue;
    const name = list.subarray(at, at + IFNAMSIZ);
    return new TextDecoder().decode(name).replace(/[\0:].*$/s, "");
  }
  return undefined;
}

/** Says which of `addresses`, in host byte order, is the kernel's own too, and what to do; undefined when none is. */
export function addressTaken(
  where: string,
  addresses: readonly number[] = [],
): string | undefined {
  for (const address of addresses) {
    const name = kernelInterfaceOf(address);
    if (name !== undefined) return describeTaken(where, address, name);
  }
  return undefined;
}

function describeTaken(where: string, address: number, name: string): string {
  const text = [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff)
    .join(".");
  return `${where}: ${text} is an address of this machine's kernel too, on ${name}, and two answer for it; choose another one with --address, or take it from the kernel: \`ip address\` shows it, \`ip address del\` removes it`;
}
