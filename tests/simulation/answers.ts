/**
 * What a host that answers ARP, pings and UDP echo owes to what it heard, read
 * with the wire's own parsers: they know every checksum, and no core.
 */

import { ARP_REPLY, ARP_REQUEST, parseArp } from "../../services/wire/arp.ts";
import { pseudoHeaderSum } from "../../services/wire/checksum.ts";
import {
  ethernetBytes,
  type EthernetRepr,
  parseEthernet,
} from "../../services/wire/ethernet.ts";
import {
  checkIcmp,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
} from "../../services/wire/icmp.ts";
import {
  ipv4Bytes,
  type Ipv4Repr,
  parseIpv4,
  PROTOCOL_ICMP,
  PROTOCOL_UDP,
} from "../../services/wire/ipv4.ts";
import { parseUdp } from "../../services/wire/udp.ts";
import type { WireFrame } from "./medium.ts";
import { ETHERTYPE } from "../../services/wire/numbers.ts";

/** Which answer a frame is, or asks for: equal texts for equal answers. */
type Answer = string | undefined;

const ECHO_PORT = 7;

/** The answer that `bytes` asks for, if it asks, and is whole. */
export function answerTo(bytes: Uint8Array): Answer {
  return read(bytes, true);
}

/** The answer that `bytes` is, if it is one, and right. */
export function answerIn(bytes: Uint8Array): Answer {
  return read(bytes, false);
}

function read(bytes: Uint8Array, asks: boolean): Answer {
  const ethernet = parseEthernet(bytes, 0, bytes.length);
  if (ethernet === "truncated") return undefined;
  const at = ethernetBytes(ethernet);
  const asker = (asks ? ethernet.source : ethernet.destination).toHex();
  const link = `${asker} ${tagsOf(ethernet)}`;
  if (ethernet.etherType === ETHERTYPE.arp) {
    const arp = readArp(bytes, at, asks ? undefined : asker);
    return arp && `${tagsOf(ethernet)} ${arp}`;
  }
  if (ethernet.etherType !== ETHERTYPE.ipv4) return undefined;
  const ipv4 = parseIpv4(bytes, at, bytes.length);
  if (typeof ipv4 === "string") return undefined;
  const start = at + ipv4Bytes(ipv4);
  const payload = bytes.subarray(start, start + ipv4.payloadBytes);
  const [from, to] = asks
    ? [ipv4.source, ipv4.destination]
    : [ipv4.destination, ipv4.source];
  const above = ipv4.protocol === PROTOCOL_ICMP
    ? readIcmp(payload, asks)
    : ipv4.protocol === PROTOCOL_UDP
    ? readUdp(payload, ipv4, asks)
    : undefined;
  return above && `${link} ${from} ${to} ${above}`;
}

function tagsOf({ tags }: EthernetRepr): string {
  return JSON.stringify(tags);
}

/** A question if `to` is undefined; else an answer, in a frame to that address. */
function readArp(bytes: Uint8Array, at: number, to?: string): Answer {
  const arp = parseArp(bytes, at, bytes.length);
  if (typeof arp === "string") return undefined;
  const { operation, senderMac, senderAddress, targetMac, targetAddress } = arp;
  if (to === undefined) {
    return operation === ARP_REQUEST
      ? `arp ${senderMac.toHex()} ${senderAddress} ${targetAddress}`
      : undefined;
  }
  // It goes to whom the question names, not to whom it came from.
  return operation === ARP_REPLY && to === targetMac.toHex()
    ? `arp ${to} ${targetAddress} ${senderAddress}`
    : undefined;
}

function readIcmp(payload: Uint8Array, asks: boolean): Answer {
  if (checkIcmp(payload, 0, payload.length) !== undefined) return undefined;
  const type = asks ? ICMP_ECHO_REQUEST : ICMP_ECHO_REPLY;
  if (payload[0] !== type) return undefined;
  return `icmp ${payload[1]} ${payload.subarray(4).toHex()}`;
}

function readUdp(payload: Uint8Array, ipv4: Ipv4Repr, asks: boolean): Answer {
  const sum = pseudoHeaderSum(ipv4.source, ipv4.destination, PROTOCOL_UDP);
  const udp = parseUdp(payload, 0, payload.length, sum);
  if (typeof udp === "string") return undefined;
  const { sourcePort, destinationPort } = udp;
  const [asker, port] = asks
    ? [sourcePort, destinationPort]
    : [destinationPort, sourcePort];
  if (port !== ECHO_PORT) return undefined;
  return `udp ${asker} ${udp.payload.toHex()}`;
}

/**
 * The frames among `sent` that are no right answer to a question of `heard`
 * that came before and was not answered yet: each question is worth one.
 */
export function unasked(
  heard: readonly WireFrame[],
  sent: readonly WireFrame[],
): WireFrame[] {
  const owed = new Map<string, number>();
  let next = 0;
  return sent.filter(({ atUs, bytes }) => {
    for (; next < heard.length && heard[next]!.atUs <= atUs; next++) {
      const question = answerTo(heard[next]!.bytes);
      if (question !== undefined) {
        owed.set(question, (owed.get(question) ?? 0) + 1);
      }
    }
    const answer = answerIn(bytes);
    const left = answer === undefined ? 0 : owed.get(answer) ?? 0;
    if (left > 0) owed.set(answer!, left - 1);
    return left === 0;
  });
}
