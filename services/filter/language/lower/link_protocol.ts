/** Tests of what a link header carries: `ip`, `arp`, `ether proto 0x1234`. */

import {
  all,
  always,
  any,
  arithmetic,
  compare,
  constant,
  not,
  type Test,
  type Value,
} from "../ir.ts";
import type { Layout } from "./layout.ts";
import type { Lowering } from "./lowering.ts";
import { ETHERTYPE } from "../../../wire/numbers.ts";

/** Service access points of IEEE 802.2. */
export const SAP = {
  ip: 0x06,
  stp: 0x42,
  snap: 0xaa,
  ipx: 0xe0,
  netbeui: 0xf0,
  iso: 0xfe,
} as const;

/** The largest number in the type field that is a length (IEEE 802.3). */
const LENGTH_MAX = 1500;
/** Types in a cooked header for frames without an EtherType (if_ether.h). */
const SLL_802_3 = 1;
const SLL_802_2 = 4;
const AF_INET = 2;
/** Linux's number. */
const AF_INET6 = 10;
/** Numbers in capture files: macOS's, OpenBSD's and NetBSD's, FreeBSD's. */
const SAVEFILE_AF_INET6: readonly number[] = [30, 24, 28];

/** PPP's numbers for protocols that have others in Ethernet (RFC 1661 ff.). */
const PPP_PROTOCOLS: ReadonlyMap<number, number> = new Map([
  [ETHERTYPE.ipv4, 0x0021],
  [SAP.iso, 0x0023],
  [ETHERTYPE.ns, 0x0025],
  [ETHERTYPE.decnet, 0x0027],
  [ETHERTYPE.atalk, 0x0029],
  [SAP.ipx, 0x002b],
  [SAP.stp, 0x0031],
  [ETHERTYPE.ipv6, 0x0057],
]);

/** A field and a mask. */
export function masked(value: Value, mask: number): Value {
  return arithmetic("and", value, constant(mask));
}

/**
 * Whether the link carries `protocol`: an EtherType above 1500, a service
 * access point otherwise.
 */
export function linkCarries(
  lowering: Lowering,
  protocol: number,
  column: number,
): Test {
  const { layout } = lowering;
  if (layout.labels > 0) return labelCarries(lowering, protocol, column);
  switch (layout.link) {
    case "ethernet":
      return ethernetCarries(layout, protocol);
    case "sll":
      return cookedCarries(layout, protocol);
    case "raw":
      return rawCarries(layout, protocol);
    case "ppp":
      return type(layout, PPP_PROTOCOLS.get(protocol) ?? protocol);
    case "null":
    case "loop":
      return loopbackCarries(lowering, protocol);
    case "sll2":
      return type(layout, protocol);
  }
}

/** Whether the frame is Ethernet where Geneve may carry another; or nothing. */
export function isEthernet(layout: Layout): Test[] {
  const header = layout.header.variable;
  const payload = layout.payload.variable;
  if (!layout.encapsulated) return [];
  if (header === undefined || payload === undefined) return [];
  return [
    not(compare(
      { kind: "variable", variable: header },
      "=",
      { kind: "variable", variable: payload },
    )),
  ];
}

/** Whether an Ethernet frame has a length in the place of a type. */
export function hasLength(layout: Layout): Test {
  return not(compare(layout.inType(0, 2), ">", LENGTH_MAX));
}

function type(layout: Layout, value: number): Test {
  return compare(layout.inType(0, 2), "=", value);
}

function ethernetCarries(layout: Layout, protocol: number): Test {
  switch (protocol) {
    case SAP.iso:
    case SAP.ip:
    case SAP.netbeui:
      return all(hasLength(layout), bothAccessPoints(layout, protocol));
    case SAP.ipx:
      return any(
        type(layout, ETHERTYPE.ipx),
        all(
          hasLength(layout),
          any(
            snap(layout, 0, ETHERTYPE.ipx),
            compare(layout.inPayload(0, 1), "=", SAP.ipx),
            compare(layout.inPayload(0, 2), "=", 0xffff),
          ),
        ),
      );
    case ETHERTYPE.atalk:
    case ETHERTYPE.aarp:
      return any(
        type(layout, protocol),
        all(hasLength(layout), appleSnap(layout, protocol)),
      );
  }
  return protocol > LENGTH_MAX ? type(layout, protocol) : all(
    hasLength(layout),
    compare(layout.inType(2, 1), "=", protocol),
  );
}

function cookedCarries(layout: Layout, protocol: number): Test {
  switch (protocol) {
    case SAP.iso:
    case SAP.ip:
    case SAP.netbeui:
      return all(type(layout, SLL_802_2), bothAccessPoints(layout, protocol));
    case SAP.ipx:
      return any(
        type(layout, ETHERTYPE.ipx),
        type(layout, SLL_802_3),
        all(
          type(layout, SLL_802_2),
          any(
            compare(layout.inPayload(0, 1), "=", SAP.ipx),
            snap(layout, 0, ETHERTYPE.ipx),
          ),
        ),
      );
    case ETHERTYPE.atalk:
    case ETHERTYPE.aarp:
      return any(
        type(layout, protocol),
        all(type(layout, SLL_802_2), appleSnap(layout, protocol)),
      );
  }
  return protocol > LENGTH_MAX ? type(layout, protocol) : all(
    type(layout, SLL_802_2),
    compare(layout.inHeader(layout.payload.constant, 1), "=", protocol),
  );
}

function rawCarries(layout: Layout, protocol: number): Test {
  const version = protocol === ETHERTYPE.ipv4
    ? 0x40
    : protocol === ETHERTYPE.ipv6
    ? 0x60
    : 0;
  if (version === 0) return always(false);
  return compare(masked(layout.inHeader(0, 1), 0xf0), "=", version);
}

/**
 * A loopback header is an address family: of the capturing host's byte order
 * in `null`, taken to be little-endian, and of the network's in `loop`.
 */
function loopbackCarries(lowering: Lowering, protocol: number): Test {
  const { layout, savefile } = lowering;
  const is = (family: number): Test => {
    const stored = layout.link === "null" ? family * 0x100_0000 : family;
    return compare(layout.inHeader(0, 4), "=", stored);
  };
  if (protocol === ETHERTYPE.ipv4) return is(AF_INET);
  if (protocol !== ETHERTYPE.ipv6) return always(false);
  return savefile ? any(...SAVEFILE_AF_INET6.map(is)) : is(AF_INET6);
}

/** Behind the last label: the bottom-of-stack bit, and a version that fits. */
function labelCarries(
  lowering: Lowering,
  protocol: number,
  column: number,
): Test {
  const { layout } = lowering;
  if (protocol !== ETHERTYPE.ipv4 && protocol !== ETHERTYPE.ipv6) {
    throw lowering.error(
      column,
      "MPLS does not say which protocol it carries",
      "`ip` or `ip6` after `mpls`",
    );
  }
  const version = protocol === ETHERTYPE.ipv4 ? 0x40 : 0x60;
  return all(
    compare(masked(layout.inNetwork(-2, 1), 1), "=", 1),
    compare(masked(layout.inNetwork(0, 1), 0xf0), "=", version),
  );
}

function bothAccessPoints(layout: Layout, sap: number): Test {
  return compare(layout.inPayload(0, 2), "=", sap * 0x101);
}

function appleSnap(layout: Layout, protocol: number): Test {
  const organisation = protocol === ETHERTYPE.atalk ? 0x080007 : 0;
  return snap(layout, organisation, protocol);
}

/** An 802.2 SNAP header: AA AA 03, the organisation, the type (RFC 1042). */
function snap(layout: Layout, organisation: number, protocol: number): Test {
  const low = (organisation & 0xffff) * 0x1_0000 + protocol;
  const high = 0xaaaa0300 + (organisation >>> 16);
  return all(
    compare(layout.inPayload(4, 4), "=", low),
    compare(layout.inPayload(0, 4), "=", high),
  );
}
