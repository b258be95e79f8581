/** Tests of protocols by number or by name: `ip proto 6`, `tcp`, `isis`. */

import type { ProtocolName } from "../keywords.ts";
import { ABOVE_IP } from "../names.ts";
import { all, any, compare, type Test } from "../ir.ts";
import { linkCarries, SAP } from "./link_protocol.ts";
import type { Lowering } from "./lowering.ts";
import { ETHERTYPE, IPV6_EXTENSION } from "../../../wire/numbers.ts";

const ISIS = 0x83;

/** Protocols above the link by name. */
const ABOVE_LINK: Readonly<Partial<Record<ProtocolName, number>>> = {
  ip: ETHERTYPE.ipv4,
  arp: ETHERTYPE.arp,
  rarp: ETHERTYPE.rarp,
  atalk: ETHERTYPE.atalk,
  aarp: ETHERTYPE.aarp,
  decnet: ETHERTYPE.decnet,
  sca: ETHERTYPE.sca,
  lat: ETHERTYPE.lat,
  mopdl: ETHERTYPE.mopdl,
  moprc: ETHERTYPE.moprc,
  ip6: ETHERTYPE.ipv6,
  iso: SAP.iso,
  stp: SAP.stp,
  ipx: SAP.ipx,
  netbeui: SAP.netbeui,
};

/** Protocols of OSI by name (ISO/IEC TR 9577). */
const ABOVE_ISO: Readonly<Partial<Record<ProtocolName, number>>> = {
  clnp: 0x81,
  esis: 0x82,
  isis: ISIS,
};

/** PDU types of IS-IS by name (ISO/IEC 10589), in the order they are tried. */
const ISIS_PDUS: Readonly<Partial<Record<ProtocolName, readonly number[]>>> = {
  l1: [26, 24, 18, 15, 17],
  l2: [27, 25, 20, 16, 17],
  iih: [17, 15, 16],
  lsp: [18, 20],
  snp: [27, 26, 24, 25],
  csnp: [24, 25],
  psnp: [26, 27],
};

/** A protocol's name alone. */
export function namedProtocol(
  lowering: Lowering,
  name: ProtocolName,
  column: number,
): Test {
  const link = ABOVE_LINK[name];
  if (link !== undefined) return linkCarries(lowering, link, column);
  const ip = ABOVE_IP[name];
  if (ip !== undefined) {
    return numberedProtocol(lowering, ip[1], ip[0], column);
  }
  const iso = ABOVE_ISO[name];
  if (iso !== undefined) {
    return numberedProtocol(lowering, "iso", iso, column);
  }
  const pdus = ISIS_PDUS[name];
  if (pdus !== undefined) {
    return any(
      ...pdus.map((pdu) => numberedProtocol(lowering, "isis", pdu, column)),
    );
  }
  throw lowering.error(
    column,
    name === "link"
      ? "a link header alone says nothing"
      : `\`${name}\` cannot stand alone`,
    name === "link" ? "`ether host`, `ether proto` or `ether[…]`" : "",
  );
}

/** `proto NUMBER`, under what is named before it; IPv4 and IPv6 by default. */
export function numberedProtocol(
  lowering: Lowering,
  under: ProtocolName | undefined,
  number: number,
  column: number,
): Test {
  const { layout } = lowering;
  switch (under) {
    case undefined:
      return any(
        numberedProtocol(lowering, "ip", number, column),
        numberedProtocol(lowering, "ip6", number, column),
      );
    case "link":
      return linkCarries(lowering, number, column);
    case "ip":
      return all(
        linkCarries(lowering, ETHERTYPE.ipv4, column),
        compare(layout.inNetwork(9, 1), "=", number),
      );
    case "ip6":
      return all(
        linkCarries(lowering, ETHERTYPE.ipv6, column),
        any(
          compare(layout.inNetwork(6, 1), "=", number),
          all(
            compare(layout.inNetwork(6, 1), "=", IPV6_EXTENSION.fragment),
            compare(layout.inNetwork(40, 1), "=", number),
          ),
        ),
      );
    case "iso":
      return all(
        linkCarries(lowering, SAP.iso, column),
        compare(layout.inNetworkNoSnap(0, 1), "=", number),
      );
    case "isis":
      return all(
        numberedProtocol(lowering, "iso", ISIS, column),
        compare(layout.inNetworkNoSnap(4, 1), "=", number),
      );
  }
  throw lowering.error(
    column,
    `\`${under}\` does not carry protocols by number`,
    "`ether`, `ip`, `ip6`, `iso`, `isis` or nothing before `proto`",
  );
}

/** `protochain NUMBER`: among an IP packet's headers. */
export function protochain(
  lowering: Lowering,
  under: ProtocolName | undefined,
  number: number,
  column: number,
): Test {
  const { layout } = lowering;
  lowering.hold(1, column);
  if (under === undefined) {
    // The register is never let go of: libpcap's sixteenth is refused too.
    return any(
      protochain(lowering, "ip", number, column),
      protochain(lowering, "ip6", number, column),
    );
  }
  lowering.hold(-1, column);
  if (under !== "ip" && under !== "ip6") {
    throw lowering.error(
      column,
      `\`${under}\` has no chain of headers`,
      "`ip`, `ip6` or nothing before `protochain`",
    );
  }
  if (layout.payload.variable !== undefined) {
    throw lowering.error(
      column,
      "`protochain` needs headers of known length before it",
      "it before `geneve` or `vxlan`",
    );
  }
  const v4 = under === "ip";
  return all(
    linkCarries(lowering, v4 ? ETHERTYPE.ipv4 : ETHERTYPE.ipv6, column),
    {
      kind: "protochain",
      version: v4 ? 4 : 6,
      offset: layout.payload.constant + layout.network,
      protocol: number,
    },
  );
}
