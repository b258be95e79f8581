import assert from "node:assert/strict";
import fc from "fast-check";
import { formatIpv4, formatMac } from "../../../services/wire/address.ts";
import type { ArpRepr } from "../../../services/wire/arp.ts";
import type { EthernetRepr } from "../../../services/wire/ethernet.ts";
import type { IcmpRepr } from "../../../services/wire/icmp.ts";
import type { Ipv4Repr } from "../../../services/wire/ipv4.ts";
import type { UdpRepr } from "../../../services/wire/udp.ts";
import {
  buildArp,
  buildIcmp,
  buildUdp,
  type FrameBytes,
} from "../../arbitraries/frames.ts";
import {
  arpRepr,
  bits,
  bytesUpTo,
  ethernetRepr,
  plainIpv4Repr,
  udpRepr,
} from "../../arbitraries/reprs.ts";
import { testWith } from "../../needs.ts";
import { linesAbout } from "./capture_file.ts";

/** A frame with what tshark is to print of it, field by field. */
interface Sample {
  readonly frame: FrameBytes;
  readonly fields: Readonly<Record<string, string>>;
}

const CHECKS = [
  "ip.checksum.status",
  "udp.checksum.status",
  "icmp.checksum.status",
];

function samples(): fc.Arbitrary<Sample> {
  const options = fc.integer({ min: 0, max: 10 }).map((words) =>
    new Uint8Array(4 * words).fill(1) // "no operation", of which nobody dissects more
  );
  const ipv4 = (protocol: number) =>
    fc.tuple(plainIpv4Repr(0, protocol), options)
      .map(([repr, options]) => ({ ...repr, options }));
  const echo: fc.Arbitrary<IcmpRepr> = fc.record({
    kind: fc.constantFrom("echo-request" as const, "echo-reply" as const),
    identifier: bits(16),
    sequence: bits(16),
    payload: bytesUpTo(64),
  });
  // Operations beyond these are another protocol's to tshark (ATMARP's).
  const arp = fc.tuple(arpRepr(), fc.constantFrom(1, 2))
    .map(([repr, operation]) => ({ ...repr, operation }));
  return fc.oneof(
    fc.tuple(ethernet(0x0806), arp).map(([ethernet, arp]) => ({
      frame: buildArp(ethernet, arp),
      fields: { ...ethernetFields(ethernet), ...arpFields(arp) },
    })),
    fc.tuple(ethernet(0x0800), ipv4(17), udpRepr(64))
      .map(([ethernet, ipv4, udp]) => ({
        frame: buildUdp(ethernet, ipv4, udp),
        fields: {
          ...ethernetFields(ethernet),
          ...ipv4Fields(ipv4, 8 + udp.payload.length),
          ...udpFields(udp),
        },
      })),
    fc.tuple(ethernet(0x0800), ipv4(1), echo)
      .map(([ethernet, ipv4, icmp]) => ({
        frame: buildIcmp(ethernet, ipv4, icmp),
        fields: {
          ...ethernetFields(ethernet),
          ...ipv4Fields(ipv4, 8 + icmp.payload.length),
          ...echoFields(icmp),
        },
      })),
  );
}

/** A header whose tags stand as 802.1ad has them: the provider's outside, once. */
function ethernet(etherType: number): fc.Arbitrary<EthernetRepr> {
  return ethernetRepr(etherType).map((repr) => ({
    ...repr,
    tags: repr.tags.map((tag, i) =>
      i === 0 ? tag : { ...tag, protocol: 0x8100 }
    ),
  }));
}

function ethernetFields(ethernet: EthernetRepr): Record<string, string> {
  return {
    "eth.dst": formatMac(ethernet.destination),
    "eth.src": formatMac(ethernet.source),
    "vlan.id": ethernet.tags.filter((tag) => tag.protocol === 0x8100)
      .map((tag) => tag.identifier).join(","),
    "ieee8021ad.id": ethernet.tags.filter((tag) => tag.protocol === 0x88a8)
      .map((tag) => tag.identifier).join(","),
  };
}

function arpFields(arp: ArpRepr): Record<string, string> {
  return {
    "arp.opcode": String(arp.operation),
    "arp.src.hw_mac": formatMac(arp.senderMac),
    "arp.src.proto_ipv4": formatIpv4(arp.senderAddress),
    "arp.dst.hw_mac": formatMac(arp.targetMac),
    "arp.dst.proto_ipv4": formatIpv4(arp.targetAddress),
  };
}

function ipv4Fields(
  ipv4: Ipv4Repr,
  payloadBytes: number,
): Record<string, string> {
  const headerBytes = 20 + ipv4.options.length;
  return {
    "ip.checksum.status": "1",
    "ip.hdr_len": String(headerBytes),
    "ip.len": String(headerBytes + payloadBytes),
    "ip.dsfield.dscp": String(ipv4.dscp),
    "ip.dsfield.ecn": String(ipv4.ecn),
    "ip.flags.df": ipv4.dontFragment ? "1" : "0",
    "ip.ttl": String(ipv4.ttl),
    "ip.src": formatIpv4(ipv4.source),
    "ip.dst": formatIpv4(ipv4.destination),
  };
}

function udpFields(udp: UdpRepr): Record<string, string> {
  return {
    "udp.srcport": String(udp.sourcePort),
    "udp.dstport": String(udp.destinationPort),
    "udp.length": String(8 + udp.payload.length),
    "udp.checksum.status": udp.checksummed ? "1" : "3", // good, not present
  };
}

function echoFields(icmp: IcmpRepr): Record<string, string> {
  assert.ok(icmp.kind === "echo-request" || icmp.kind === "echo-reply");
  return {
    "icmp.checksum.status": "1",
    "icmp.type": icmp.kind === "echo-request" ? "8" : "0",
    "icmp.ident": String(icmp.identifier),
    "icmp.seq": String(icmp.sequence),
  };
}

testWith(
  ["tool:tshark"],
  "tshark reads every field as it was emitted, and finds the checksums good",
  () => {
    const drawn = fc.sample(samples(), 300);
    const names = [
      ...new Set(drawn.flatMap(({ fields }) => Object.keys(fields))),
      "_ws.malformed",
    ];
    const lines = linesAbout(drawn.map(({ frame }) => frame), (path) => [
      "tshark",
      "-r",
      path,
      ...["ip", "udp"].flatMap((name) => ["-o", `${name}.check_checksum:TRUE`]),
      // A port, or a payload that looks like something, suggests nothing.
      "-d",
      "udp.port==0-65535,data",
      "-T",
      "fields",
      "-E",
      "separator=|",
      ...names.flatMap((name) => ["-e", name]),
    ]);
    assert.equal(lines.length, drawn.length);
    drawn.forEach(({ fields, frame }, i) => {
      const values = lines[i]!.split("|");
      names.forEach((name, column) => {
        const found = values[column]!;
        const message = `${name} of ${frame.toHex()}`;
        if (fields[name] !== undefined) {
          assert.equal(normal(found), fields[name], message);
        } else if (name === "_ws.malformed" || CHECKS.includes(name)) {
          assert.equal(found, "", message);
        }
      });
    });
  },
);

/** tshark's values as ours are written: truth as 1 and 0. */
function normal(text: string): string {
  return text === "True" ? "1" : text === "False" ? "0" : text;
}
