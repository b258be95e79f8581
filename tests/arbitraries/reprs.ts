/**
 * Arbitraries for the representations of services/wire. Addresses and ports
 * come often from small pools, so that two independent draws often agree.
 */

import fc from "fast-check";
import type { Arbitrary } from "./arbitrary.ts";
import type { ArpRepr } from "../../services/wire/arp.ts";
import {
  type EthernetRepr,
  isTagProtocol,
  VLAN_TAGS_MAX,
  type VlanTag,
} from "../../services/wire/ethernet.ts";
import type { IcmpRepr } from "../../services/wire/icmp.ts";
import type { Ipv4Repr } from "../../services/wire/ipv4.ts";
import type { UdpRepr } from "../../services/wire/udp.ts";

/** Hardware addresses that are drawn often: two hosts', broadcast, a group's. */
const POOL_MACS: readonly string[] = [
  "020000000001",
  "020000000002",
  "ffffffffffff",
  "01005e000001",
];

/** IPv4 addresses that are drawn often. */
const POOL_ADDRESSES: readonly number[] = [
  0x0a4d0001,
  0x0a4d0002,
  0x0a4d00ff,
  0x0a4e0001,
  0xe0000001,
  0xffffffff,
  0,
];

/** Ports that are drawn often. */
const POOL_PORTS: readonly number[] = [7, 9, 53, 80, 1023, 1024, 65535];

/** A number of `bits` bits. */
export function bits(bits: number): Arbitrary<number> {
  return fc.integer({ min: 0, max: 2 ** bits - 1 });
}

/** Bytes, `max` at most. */
export function bytesUpTo(max: number): Arbitrary<Uint8Array<ArrayBuffer>> {
  return fc.uint8Array({ maxLength: max, size: "max" }).map((bytes) =>
    Uint8Array.from(bytes)
  );
}

/** Exactly `count` bytes. */
export function bytesOf(count: number): Arbitrary<Uint8Array<ArrayBuffer>> {
  return fc.uint8Array({ minLength: count, maxLength: count }).map((bytes) =>
    Uint8Array.from(bytes)
  );
}

/** A hardware address, groups' included. */
export function mac(): Arbitrary<Uint8Array<ArrayBuffer>> {
  const pooled = fc.constantFrom(...POOL_MACS).map((text) =>
    Uint8Array.from(text.match(/../g)!, (part) => parseInt(part, 16))
  );
  return fc.oneof({ weight: 3, arbitrary: pooled }, bytesOf(6));
}

/** A hardware address that one station can have. */
export function stationMac(): Arbitrary<Uint8Array<ArrayBuffer>> {
  return bytesOf(6).map((bytes) => {
    bytes[0] = bytes[0]! & 0xfc | 2;
    return bytes;
  });
}

/** An IPv4 address of any kind. */
export function ipv4Address(): Arbitrary<number> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...POOL_ADDRESSES) },
    bits(32),
  );
}

/** An IPv4 address that one host can have. */
export function hostAddress(): Arbitrary<number> {
  return fc.oneof(
    fc.constantFrom(0x0a4d0001, 0x0a4d0003, 0x0a4e0001),
    fc.tuple(
      fc.integer({ min: 1, max: 223 }).filter((network) => network !== 127),
      bits(24),
    ).map(([network, host]) => (network << 24 | host) >>> 0),
  );
}

/** A port. */
export function port(): Arbitrary<number> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...POOL_PORTS) },
    bits(16),
  );
}

/** A VLAN tag of either kind. */
export function vlanTag(): Arbitrary<VlanTag> {
  return fc.record({
    protocol: fc.constantFrom(0x8100, 0x88a8),
    priority: bits(3),
    dropEligible: fc.boolean(),
    identifier: fc.oneof(fc.constantFrom(1, 2), bits(12)),
  });
}

/** No tag mostly, else one or two. */
export function vlanTags(): Arbitrary<readonly VlanTag[]> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    fc.array(vlanTag(), { minLength: 1, maxLength: VLAN_TAGS_MAX }),
  );
}

/** An Ethernet header for `etherType`, or for any type that is no tag's. */
export function ethernetRepr(etherType?: number): Arbitrary<EthernetRepr> {
  return fc.record({
    destination: mac(),
    source: mac(),
    tags: vlanTags(),
    etherType: etherType === undefined
      ? bits(16).filter((type) => !isTagProtocol(type))
      : fc.constant(etherType),
  });
}

/** An ARP packet. */
export function arpRepr(): Arbitrary<ArpRepr> {
  return fc.record({
    operation: fc.oneof(fc.constantFrom(1, 2), bits(16)),
    senderMac: mac(),
    senderAddress: ipv4Address(),
    targetMac: mac(),
    targetAddress: ipv4Address(),
  });
}

/** No options mostly, else up to 40 bytes of them, a multiple of 4: any bytes. */
export function ipv4Options(): Arbitrary<Uint8Array<ArrayBuffer>> {
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant(new Uint8Array(0)) },
    fc.integer({ min: 1, max: 10 }).chain((words) => bytesOf(4 * words)),
  );
}

/** An IPv4 header for a payload of `payloadBytes`: one in four is a fragment. */
export function ipv4Repr(
  payloadBytes: number,
  protocol?: number,
): Arbitrary<Ipv4Repr> {
  const fragment = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constant({ moreFragments: false, fragmentOffset: 0 }),
    },
    fc.record({
      moreFragments: fc.boolean(),
      fragmentOffset: fc.oneof(fc.constantFrom(0, 1, 185), bits(13)),
    }),
  );
  return fc.record({
    dscp: bits(6),
    ecn: bits(2),
    identification: bits(16),
    dontFragment: fc.boolean(),
    ttl: bits(8),
    protocol: protocol === undefined
      ? fc.oneof(fc.constantFrom(1, 6, 17), bits(8))
      : fc.constant(protocol),
    source: ipv4Address(),
    destination: ipv4Address(),
    options: ipv4Options(),
    fragment,
  }).map(({ fragment, ...rest }) => ({ ...rest, ...fragment, payloadBytes }));
}

/** An IPv4 header without options that is no fragment, between two hosts. */
export function plainIpv4Repr(
  payloadBytes: number,
  protocol: number,
): Arbitrary<Ipv4Repr> {
  return fc.tuple(
    ipv4Repr(payloadBytes, protocol),
    hostAddress(),
    hostAddress(),
  )
    .map(([repr, source, destination]) => ({
      ...repr,
      source,
      destination,
      moreFragments: false,
      fragmentOffset: 0,
      options: new Uint8Array(0),
    }));
}

/** A UDP datagram with up to `payloadBytesMax` bytes in it. */
export function udpRepr(payloadBytesMax: number): Arbitrary<UdpRepr> {
  return fc.record({
    sourcePort: port(),
    destinationPort: port(),
    checksummed: fc.boolean(),
    payload: bytesUpTo(payloadBytesMax),
  });
}

/** An ICMP message with up to `payloadBytesMax` bytes behind its header. */
export function icmpRepr(payloadBytesMax: number): Arbitrary<IcmpRepr> {
  const payload = bytesUpTo(payloadBytesMax);
  return fc.oneof(
    fc.record({
      kind: fc.constantFrom("echo-request" as const, "echo-reply" as const),
      identifier: bits(16),
      sequence: bits(16),
      payload,
    }),
    fc.record({
      kind: fc.constant("destination-unreachable" as const),
      code: bits(8),
      nextHopMtu: bits(16),
      payload,
    }),
    fc.record({
      kind: fc.constant("time-exceeded" as const),
      code: bits(8),
      payload,
    }),
    fc.record({
      kind: fc.constant("opaque" as const),
      type: bits(8).filter((type) => ![0, 3, 8, 11].includes(type)),
      code: bits(8),
      rest: bits(32),
      payload,
    }),
  );
}
