/** The addresses of a host, as its IPv4 cores take them from their settings. */

import { formatIpv4 } from "../wire/address.ts";
import type { IpPrefix } from "../wire/ip_address.ts";

/** An IPv4 address as cores have it, with the length of its network's prefix. */
export interface Ipv4Prefix {
  /** 32 bits, host part included. */
  readonly address: number;
  /** 0 to 32 bits. */
  readonly prefixBits: number;
}

/** Who a host is: one address, or several. */
export interface OwnAddresses {
  /** IPv4 address, 32 bits. */
  readonly address: number;
  /** Bits of its network's prefix, from 0 to 32; 32 by default: the network is not known. */
  readonly prefixBits?: number;
  /** All addresses, of both versions; `address` alone by default. */
  readonly addresses?: readonly IpPrefix[];
}

/** The IPv4 addresses of a host, with their networks' prefixes. */
export function ownIpv4(
  { address, prefixBits = 32, addresses }: OwnAddresses,
): readonly Ipv4Prefix[] {
  return addresses === undefined
    ? [{ address, prefixBits }]
    : addresses.flatMap(({ address: { version, value }, prefixBits }) =>
      version === 4 ? [{ address: Number(value), prefixBits }] : []
    );
}

/** The IPv4 addresses of a host as texts, without prefixes. */
export function ownIpv4Texts(own: OwnAddresses): string[] {
  return ownIpv4(own).map(({ address }) => formatIpv4(address));
}
