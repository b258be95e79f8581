/**
 * One line a frame for people, in tcpdump's manner (`tcpdump -nn`): exactly its
 * words for whole ARP, UDP and ICMP echo packets, and near them for the rest.
 */

import { formatMac } from "./address.ts";
import { type DescribeOptions, describePayload } from "./describe_payload.ts";
import { ethernetBytes, type EthernetRepr, parseEthernet } from "./ethernet.ts";

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
