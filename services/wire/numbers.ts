/** Numbers by which one header names the next. */

/** EtherTypes (IEEE 802 numbers). */
export const ETHERTYPE = {
  /** Xerox NS. */
  ns: 0x0600,
  ipv4: 0x0800,
  arp: 0x0806,
  /** DEC MOP, dump and load. */
  mopdl: 0x6001,
  /** DEC MOP, remote console. */
  moprc: 0x6002,
  decnet: 0x6003,
  lat: 0x6004,
  sca: 0x6007,
  /** Ethernet within GRE and GENEVE. */
  bridging: 0x6558,
  rarp: 0x8035,
  /** AppleTalk. */
  atalk: 0x809b,
  /** AppleTalk's ARP. */
  aarp: 0x80f3,
  /** A customer's VLAN tag (802.1Q). */
  vlan: 0x8100,
  ipx: 0x8137,
  ipv6: 0x86dd,
  mpls: 0x8847,
  /** PPPoE, discovery. */
  pppoed: 0x8863,
  /** PPPoE, session. */
  pppoes: 0x8864,
  /** A provider's VLAN tag (802.1ad). */
  providerVlan: 0x88a8,
  loopback: 0x9000,
  /** A provider's VLAN tag before there was a standard. */
  oldVlan: 0x9100,
} as const;

/**
 * IPv6 extension headers (RFC 8200, section 4; authentication: RFC 4302;
 * mobility: RFC 6275).
 */
export const IPV6_EXTENSION = {
  hopByHop: 0,
  routing: 43,
  fragment: 44,
  /** Counts its length in words of 4 bytes, less 2; in IPv4, too. */
  authentication: 51,
  destinationOptions: 60,
  mobility: 135,
} as const;

/** Extension headers of the one common form: a length in units of 8 bytes, less 1. */
export const PLAIN_EXTENSIONS: readonly number[] = [
  IPV6_EXTENSION.hopByHop,
  IPV6_EXTENSION.routing,
  IPV6_EXTENSION.destinationOptions,
  IPV6_EXTENSION.mobility,
];

/** Extension headers that a grant walks over: none of them is ever the protocol. */
export const WALKED_EXTENSIONS: readonly number[] = [
  IPV6_EXTENSION.hopByHop,
  IPV6_EXTENSION.routing,
  IPV6_EXTENSION.fragment,
  IPV6_EXTENSION.authentication,
  IPV6_EXTENSION.destinationOptions,
  IPV6_EXTENSION.mobility,
];

/**
 * Extension headers that libpcap's `protochain` takes for the common form, and
 * for IPv6's alone. It walks over authentication headers besides, in IPv4, too.
 */
export const LIBPCAP_EXTENSIONS: readonly number[] = [
  IPV6_EXTENSION.hopByHop,
  IPV6_EXTENSION.routing,
  IPV6_EXTENSION.fragment,
  IPV6_EXTENSION.destinationOptions,
];

/** A set of numbers below 64 as a word: bit n is set when n is among them. */
export function bitsOf(numbers: readonly number[]): bigint {
  return numbers.reduce((bits, n) => bits | 1n << BigInt(n), 0n);
}
