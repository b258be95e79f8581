/**
 * One line for what a frame carries, in tcpdump's manner: ARP, IPv4 and IPv6,
 * and what is in them.
 */

import { formatIpv4, formatIpv6, formatMac } from "./address.ts";
import { ARP_REPLY, ARP_REQUEST, parseArp } from "./arp.ts";
import { getU16 } from "./big_endian.ts";
import {
  ICMP_BYTES,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
  icmpCode,
  icmpIdentifier,
  icmpSequence,
  icmpType,
} from "./icmp.ts";
import {
  IPV4_BYTES,
  ipv4Destination,
  ipv4HeaderBytes,
  ipv4Protocol,
  ipv4Source,
  ipv4TotalBytes,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from "./ipv4.ts";
import {
  UDP_BYTES,
  udpDestinationPort,
  udpLength,
  udpSourcePort,
} from "./udp.ts";
import { ETHERTYPE } from "./numbers.ts";

const IPV6_BYTES = 40;
const TCP_BYTES = 20;

/** How much is said. */
export interface DescribeOptions {
  /** Less, as `tcpdump -q`: of TCP `tcp` and its payload's length. */
  readonly quiet?: boolean;
}

/**
 * The packet of type `etherType` that is `bytes[at..end)`; undefined for a type
 * that is not known here. Never throws.
 */
export function describePayload(
  etherType: number,
  bytes: Uint8Array,
  at: number,
  end: number,
  options: DescribeOptions = {},
): string | undefined {
  switch (etherType) {
    case ETHERTYPE.arp:
      return describeArp(bytes, at, end);
    case ETHERTYPE.ipv4:
      return describeIpv4(bytes, at, end, options);
    case ETHERTYPE.ipv6:
      return describeIpv6(bytes, at, end, options);
  }
  return undefined;
}

function describeArp(bytes: Uint8Array, at: number, end: number): string {
  const length = `length ${end - at}`;
  const arp = parseArp(bytes, at, end);
  if (arp === "truncated") return `ARP, [|arp], ${length}`;
  if (typeof arp === "string") return `ARP, other ${arp}, ${length}`;
  const sender = formatIpv4(arp.senderAddress);
  const target = formatIpv4(arp.targetAddress);
  if (arp.operation === ARP_REQUEST) {
    const asked = arp.targetMac.every((byte) => byte === 0)
      ? ""
      : ` (${formatMac(arp.targetMac)})`;
    return `ARP, Request who-has ${target}${asked} tell ${sender}, ${length}`;
  }
  if (arp.operation === ARP_REPLY) {
    return `ARP, Reply ${sender} is-at ${formatMac(arp.senderMac)}, ${length}`;
  }
  return `ARP, operation ${arp.operation} ${sender} > ${target}, ${length}`;
}

function describeIpv4(
  bytes: Uint8Array,
  at: number,
  end: number,
  { quiet = false }: DescribeOptions,
): string {
  if (at + IPV4_BYTES > end) return `IP, [|ip], length ${end - at}`;
  const headerBytes = ipv4HeaderBytes(bytes, at);
  const totalBytes = ipv4TotalBytes(bytes, at);
  if (
    bytes[at]! >>> 4 !== 4 || headerBytes < IPV4_BYTES ||
    totalBytes < headerBytes
  ) {
    return `IP, bad header, length ${end - at}`;
  }
  const source = formatIpv4(ipv4Source(bytes, at));
  const destination = formatIpv4(ipv4Destination(bytes, at));
  const payloadAt = at + headerBytes;
  const payloadEnd = Math.min(end, at + totalBytes);
  const length = totalBytes - headerBytes;
  const fragmentBytes = (getU16(bytes, at + 6) & 0x1fff) * 8;
  if (fragmentBytes !== 0) {
    return `IP ${source} > ${destination}: fragment at ${fragmentBytes} of ip-proto-${
      ipv4Protocol(bytes, at)
    }, length ${length}`;
  }
  return describeTransport(
    { family: "IP", source, destination, length, quiet },
    ipv4Protocol(bytes, at),
    bytes,
    payloadAt,
    payloadEnd,
  );
}

function describeIpv6(
  bytes: Uint8Array,
  at: number,
  end: number,
  { quiet = false }: DescribeOptions,
): string {
  if (at + IPV6_BYTES > end) return `IP6, [|ip6], length ${end - at}`;
  const length = getU16(bytes, at + 4);
  return describeTransport(
    {
      family: "IP6",
      source: formatIpv6(bytes, at + 8),
      destination: formatIpv6(bytes, at + 24),
      length,
      quiet,
    },
    bytes[at + 6]!,
    bytes,
    at + IPV6_BYTES,
    Math.min(end, at + IPV6_BYTES + length),
  );
}

/** Who speaks to whom, and how many bytes, as the IP header says. */
interface Conversation {
  readonly family: "IP" | "IP6";
  readonly source: string;
  readonly destination: string;
  readonly length: number;
  readonly quiet: boolean;
}

function describeTransport(
  { family, source, destination, length, quiet }: Conversation,
  protocol: number,
  bytes: Uint8Array,
  at: number,
  end: number,
): string {
  const plain = `${family} ${source} > ${destination}:`;
  const ports = at + 4 > end
    ? plain
    : `${family} ${source}.${udpSourcePort(bytes, at)} > ${destination}.${
      udpDestinationPort(bytes, at)
    }:`;
  if (protocol === PROTOCOL_UDP) {
    if (at + UDP_BYTES > end) return `${ports} [|udp], length ${length}`;
    return `${ports} UDP, length ${
      Math.max(0, udpLength(bytes, at) - UDP_BYTES)
    }`;
  }
  if (protocol === PROTOCOL_TCP) {
    if (at + TCP_BYTES > end) return `${ports} [|tcp], length ${length}`;
    const headerBytes = bytes[at + 12]! >>> 4 << 2;
    const payloadBytes = Math.max(0, length - headerBytes);
    return quiet
      ? `${ports} tcp ${payloadBytes}`
      : `${ports} TCP, length ${payloadBytes}`;
  }
  if (protocol === PROTOCOL_ICMP && family === "IP") {
    return `${plain} ICMP ${describeIcmp(bytes, at, end)}, length ${length}`;
  }
  return `${plain} ip-proto-${protocol}, length ${length}`;
}

function describeIcmp(bytes: Uint8Array, at: number, end: number): string {
  if (at + ICMP_BYTES > end) return "[|icmp]";
  const type = icmpType(bytes, at);
  const code = icmpCode(bytes, at);
  if (type === ICMP_ECHO_REQUEST || type === ICMP_ECHO_REPLY) {
    const what = type === ICMP_ECHO_REQUEST ? "request" : "reply";
    return `echo ${what}, id ${icmpIdentifier(bytes, at)}, seq ${
      icmpSequence(bytes, at)
    }`;
  }
  if (type === ICMP_UNREACHABLE) return `destination unreachable, code ${code}`;
  if (type === ICMP_TIME_EXCEEDED) return `time exceeded, code ${code}`;
  return `type-#${type}, code ${code}`;
}
