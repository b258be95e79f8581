/**
 * One line a frame for people, in tcpdump's manner (`tcpdump -nn`): exactly its
 * words for whole ARP, UDP and ICMP echo packets, and near them for the rest.
 */

import { formatMac } from "./address.ts";
import { type DescribeOptions, describePayload } from "./describe_payload.ts";
import { getU16 } from "./big_endian.ts";
import {
  ETHERNET_BYTES,
  ethernetBytes,
  type EthernetRepr,
  LENGTH_MAX,
  parseEthernet,
} from "./ethernet.ts";

/**
 * What the frame `bytes[start..end)` is, in one line without line break. Never
 * throws: what cannot be read is said to be so.
 */
export function describeFrame(
  bytes: Uint8Array,
  start: number,
  end: number,
  options: DescribeOptions = {},
): string {
  const ethernet = parseEthernet(bytes, start, end);
  if (typeof ethernet === "string") {
    return `[|ether] ${end - start} bytes`;
  }
  const at = start + ethernetBytes(ethernet);
  const { etherType } = ethernet;
  return vlanPrefix(ethernet) +
    (describePayload(etherType, bytes, at, end, options) ??
      describeUnknown(ethernet, end - at));
}

/** Names of types as tcpdump has them. */
const TYPE_NAMES: Readonly<Record<number, string>> = {
  0x0800: "IPv4",
  0x0806: "ARP",
  0x86dd: "IPv6",
  0x8100: "802.1Q",
  0x88a8: "802.1Q-QinQ",
};

/**
 * The header of the frame `bytes[start..end)`, which had `originalBytes` on the
 * wire, as `tcpdump -e` prints it; empty where it is cut short.
 */
export function describeEthernetHeader(
  bytes: Uint8Array,
  start: number,
  end: number,
  originalBytes: number,
): string {
  if (end - start < ETHERNET_BYTES) return "";
  const addresses = `${formatMac(bytes, start + 6)} > ${
    formatMac(bytes, start)
  }`;
  const type = getU16(bytes, start + 12);
  const length = `length ${originalBytes}`;
  if (type <= LENGTH_MAX) return `${addresses}, 802.3, ${length}`;
  const hex = type.toString(16).padStart(4, "0");
  const name = TYPE_NAMES[type] ?? "Unknown";
  return `${addresses}, ethertype ${name} (0x${hex}), ${length}`;
}

function vlanPrefix(ethernet: EthernetRepr): string {
  return ethernet.tags.map((tag) =>
    `vlan ${tag.identifier}, p ${tag.priority}${
      tag.dropEligible ? ", DEI" : ""
    }, `
  ).join("");
}

function describeUnknown(ethernet: EthernetRepr, payloadBytes: number): string {
  const source = formatMac(ethernet.source);
  const destination = formatMac(ethernet.destination);
  const type = ethernet.etherType.toString(16).padStart(4, "0");
  return `${source} > ${destination}, ethertype 0x${type}, length ${payloadBytes}`;
}
