/** IP addresses and UDP ports as a person writes them. */

import ipaddr from "ipaddr.js";
import type { SocketAddress } from "../../../caps/driver/socket_address.ts";
import type { NicProblem } from "./kind.ts";

/**
 * Reads `10.0.0.2:4789` or `[2001:db8::2]:4789`. Names are not looked up: who
 * answers for a name may change, and a tunnel's peer is one.
 */
export function readSocketAddress(
  text: string,
): SocketAddress | NicProblem {
  const split = /^(?:\[([^[\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (split === null) {
    return { problem: "write an address and a port, such as 10.0.0.2:4789" };
  }
  const port = Number(split[3]);
  if (port < 1 || port > 65535) {
    return { problem: `a port is from 1 to 65535, not ${port}` };
  }
  const [, v6, v4 = ""] = split;
  if (v6 !== undefined) {
    const hostname = readIpv6(v6);
    return hostname === undefined
      ? { problem: `"${v6}" is no IPv6 address` }
      : { hostname, port };
  }
  return !ipaddr.IPv4.isValidFourPartDecimal(v4)
    ? {
      problem:
        `"${v4}" is no IP address; names are not looked up, and an IPv6 address stands in brackets`,
    }
    : { hostname: v4, port };
}

/** Writes an address in the form in which the runtime names senders; undefined for what has none, mapped IPv4 and zones. */
function readIpv6(text: string): string | undefined {
  if (!ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.IPv6.parse(text);
  if (address.zoneId !== undefined || address.isIPv4MappedAddress()) {
    return undefined;
  }
  return address.toRFC5952String();
}

/** What no single host has: the unspecified address, a group, everybody. */
export function isNobody(hostname: string): boolean {
  const range = ipaddr.parse(hostname).range();
  return ["unspecified", "multicast", "broadcast"].includes(range);
}
