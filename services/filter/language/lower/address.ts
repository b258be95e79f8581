/** Tests of addresses: Ethernet's, IPv4's (ARP's too), IPv6's, DECnet's. */

import type { Direction } from "../ast.ts";
import { all, any, compare, member, type Test, type Value } from "../ir.ts";
import type { Layout } from "./layout.ts";
import type { Lowering } from "./lowering.ts";
import { isEthernet, linkCarries, masked } from "./link_protocol.ts";
import { ETHERTYPE } from "../../../wire/numbers.ts";

/** A test of the source, the destination, either, or both. */
export function directed(
  direction: Direction | undefined,
  test: (end: "src" | "dst") => Test,
): Test {
  switch (direction) {
    case "src":
    case "dst":
      return test(direction);
    case "src and dst":
      return all(test("src"), test("dst"));
    default:
      return any(test("src"), test("dst"));
  }
}

/**
 * A test of the source or the destination against each of a list; `isAmong` asks
 * for several at once. The first is asked for by itself: libpcap looks at a
 * destination once the first source has not matched, and rejects packets that
 * are too short for one. Then nothing depends on the order of the others.
 */
export function listed<T>(
  direction: Direction | undefined,
  list: readonly T[],
  isAmong: (end: "src" | "dst", some: readonly T[]) => Test,
): Test {
  const others = list.slice(1);
  if (direction === "src" || direction === "dst" || others.length === 0) {
    return directed(direction, (end) => isAmong(end, list));
  }
  return any(
    isAmong("src", list.slice(0, 1)),
    isAmong("dst", list),
    isAmong("src", others),
  );
}

/** An IPv4 address and its mask. */
export interface Ip4Network {
  /** The address, its bits outside the mask 0. */
  readonly address: number;
  /** Which bits count. */
  readonly mask: number;
}

/** IPv4 addresses of which one must match, and where. */
export interface Ip4Match {
  /** One or more, in the order in which they are written. */
  readonly networks: readonly Ip4Network[];
  /** Which end; undefined for either. Both ends are asked for one network only. */
  readonly direction: Direction | undefined;
}

/** IPv4, ARP and RARP; behind MPLS only IPv4. */
export function anyIp4Address(
  lowering: Lowering,
  match: Ip4Match,
  column: number,
): Test {
  const ip = ip4Address(lowering, "ip", match, column);
  if (lowering.layout.labels > 0) return ip;
  return any(
    ip,
    ip4Address(lowering, "arp", match, column),
    ip4Address(lowering, "rarp", match, column),
  );
}

/** An address in an IPv4 header, or of a protocol in an ARP packet. */
export function ip4Address(
  lowering: Lowering,
  protocol: "ip" | "arp" | "rarp",
  { networks, direction }: Ip4Match,
  column: number,
): Test {
  const { layout } = lowering;
  const ip = protocol === "ip";
  const source = ip ? 12 : 14;
  const destination = ip ? 16 : 24;
  const addresses = listed(direction, networks, (end, some) => {
    const field = layout.inNetwork(end === "src" ? source : destination, 4);
    return isAmong(field, some);
  });
  return all(
    linkCarries(lowering, ip ? ETHERTYPE.ipv4 : ETHERTYPE[protocol], column),
    addresses,
  );
}

/** Whether an address is in one of some networks: a set for each mask. */
function isAmong(address: Value, networks: readonly Ip4Network[]): Test {
  const byMask = Map.groupBy(networks, ({ mask }) => mask);
  return any(...[...byMask].map(([mask, same]) =>
    member(
      mask === 0xffffffff ? address : masked(address, mask),
      same.map((network) => network.address),
    )
  ));
}

/** Words of an IPv6 address and of its mask, the first word first. */
export interface Ip6Match {
  /** The address, its bits outside the mask 0. */
  readonly address: readonly number[];
  /** Which bits count. */
  readonly mask: readonly number[];
  /** Which end; undefined for either. */
  readonly direction: Direction | undefined;
}

/** An address in an IPv6 header. */
export function ip6Address(
  lowering: Lowering,
  { address, mask, direction }: Ip6Match,
  column: number,
): Test {
  const { layout } = lowering;
  const addresses = directed(direction, (end) => {
    const at = end === "src" ? 8 : 24;
    return all(...address.map((word, i) => {
      const field = layout.inNetwork(at + 4 * i, 4);
      const bits = mask[i]!;
      const whole = bits === 0xffffffff;
      return compare(whole ? field : masked(field, bits), "=", word);
    }));
  });
  return all(linkCarries(lowering, ETHERTYPE.ipv6, column), addresses);
}

/** An address in an Ethernet header. */
export function macAddress(
  layout: Layout,
  mac: readonly number[],
  direction: Direction | undefined,
): Test {
  const low = mac[2]! * 0x100_0000 + mac[3]! * 0x1_0000 + mac[4]! * 0x100 +
    mac[5]!;
  const high = mac[0]! * 0x100 + mac[1]!;
  const addresses = directed(direction, (end) => {
    const at = end === "src" ? 6 : 0;
    return all(
      compare(layout.inHeader(at + 2, 4), "=", low),
      compare(layout.inHeader(at, 2), "=", high),
    );
  });
  return all(...isEthernet(layout), addresses);
}

/**
 * An address in a DECnet routing header, which is little-endian: of the short
 * format or the long one, behind no padding or one byte of it.
 */
export function decnetAddress(
  lowering: Lowering,
  address: number,
  direction: Direction | undefined,
  column: number,
): Test {
  const { layout } = lowering;
  const swapped = ((address & 0xff) << 8) | (address >>> 8);
  return directed(direction, (end) => {
    const short = end === "dst" ? 1 : 3;
    const long = end === "dst" ? 7 : 15;
    const format = (flags: number, offset: number) => [
      all(
        compare(masked(layout.inNetwork(2, 1), 0x07), "=", flags),
        compare(layout.inNetwork(2 + offset, 2), "=", swapped),
      ),
      all(
        compare(masked(layout.inNetwork(2, 2), 0xff07), "=", 0x8100 | flags),
        compare(layout.inNetwork(3 + offset, 2), "=", swapped),
      ),
    ];
    return all(
      linkCarries(lowering, ETHERTYPE.decnet, column),
      any(...format(2, short), ...format(6, long)),
    );
  });
}
