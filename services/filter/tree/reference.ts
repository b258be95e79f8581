/**
 * The reference: what a grant means, said once more and as plainly as possible.
 * It reads grants field by field, and knows nothing of atoms, trees or code;
 * whatever those do must come to the same.
 */

import type {
  Conjunction,
  Grant,
  IpPayload,
  MacPattern,
  Payload,
  PortRange,
  Prefix,
} from "../grant/grant.ts";
import { isTagType, prefixMask } from "../grant/check.ts";
import { type IpHeader, readIpHeader } from "./ip_header.ts";
import { matchesText } from "../language/interpret.ts";
import type { GrantNode } from "./merge.ts";
import { ETHERTYPE } from "../../wire/numbers.ts";

/**
 * Who receives the packet `bytes[start .. start + length)`: the slot of the
 * deepest grant that it matches together with all that one is derived from, or
 * of that grant's nearest receiving ancestor, also where its residual is not
 * true of the packet; 0 when nobody does.
 */
export function classify(
  roots: readonly GrantNode[],
  bytes: Uint8Array,
  start: number,
  length: number,
): number {
  const frame = bytes.subarray(start, start + length);
  let siblings = roots;
  let slot = 0;
  for (;;) {
    const node = siblings.find((one) => matchesFrame(one.grant, frame));
    if (node === undefined) return slot;
    const { residual } = node;
    if (residual !== undefined && !matchesText(residual, frame)) return slot;
    if (node.slot !== 0) slot = node.slot;
    siblings = node.children;
  }
}

/** Whether the packet `bytes[start .. start + length)` is one of the grant's. */
export function matches(
  grant: Grant,
  bytes: Uint8Array,
  start: number,
  length: number,
): boolean {
  return matchesFrame(grant, bytes.subarray(start, start + length));
}

function matchesFrame(grant: Grant, frame: Uint8Array): boolean {
  return grant.some((conjunction) => matchesAll(conjunction, frame));
}

function matchesAll(conjunction: Conjunction, frame: Uint8Array): boolean {
  const { etherDst, etherSrc, vlan, payload } = conjunction;
  if (etherDst !== undefined && !hasMac(frame, 0, etherDst)) return false;
  if (etherSrc !== undefined && !hasMac(frame, 6, etherSrc)) return false;
  if (vlan === undefined) {
    return payload === undefined || hasPayload(frame, 12, payload);
  }
  const type = number(frame, 12, 2);
  const tag = number(frame, 14, 2);
  if (type === undefined || !isTagType(type) || tag === undefined) return false;
  if (vlan !== "any" && (tag & 0x0fff) !== vlan) return false;
  return payload === undefined || hasPayload(frame, 16, payload);
}

function hasPayload(
  frame: Uint8Array,
  typeAt: number,
  payload: Payload,
): boolean {
  const type = number(frame, typeAt, 2);
  const start = typeAt + 2;
  switch (payload.kind) {
    case "type":
      return type === payload.etherType;
    case "arp":
      return type === ETHERTYPE.arp &&
        (payload.operation === undefined ||
          number(frame, start + 6, 2) === payload.operation) &&
        hasPrefix(frame, start + 14, payload.sender) &&
        hasPrefix(frame, start + 24, payload.target);
    case "ipv4":
    case "ipv6": {
      if (type !== ETHERTYPE[payload.kind]) return false;
      const header = readIpHeader(payload.kind, frame, start);
      return header !== undefined && hasIp(frame, start, header, payload);
    }
  }
}

function hasIp(
  frame: Uint8Array,
  start: number,
  header: IpHeader,
  ip: IpPayload,
): boolean {
  const v4 = ip.kind === "ipv4";
  if (ip.fragment === "whole" && header.fragment) return false;
  if (ip.fragment === "fragment" && !header.fragment) return false;
  if (ip.protocol !== undefined && ip.protocol !== header.protocol) {
    return false;
  }
  return hasPrefix(frame, start + (v4 ? 12 : 8), ip.src) &&
    hasPrefix(frame, start + (v4 ? 16 : 24), ip.dst) &&
    hasPort(frame, header.end, ip.srcPort) &&
    hasPort(frame, header.end + 2, ip.dstPort) &&
    (ip.icmpType === undefined ||
      number(frame, header.end, 1) === ip.icmpType);
}

function hasMac(frame: Uint8Array, at: number, mac: MacPattern): boolean {
  return frame.length >= at + 6 &&
    mac.mask.every((mask, index) =>
      (frame[at + index]! & mask) === mac.address[index]
    );
}

function hasPrefix(
  frame: Uint8Array,
  at: number,
  prefix: Prefix | undefined,
): boolean {
  if (prefix === undefined) return true;
  const { address, length } = prefix;
  return frame.length >= at + address.length &&
    address.every((byte, index) =>
      (frame[at + index]! & prefixMask(length, index)) === byte
    );
}

function hasPort(
  frame: Uint8Array,
  at: number,
  range: PortRange | undefined,
): boolean {
  if (range === undefined) return true;
  const port = number(frame, at, 2);
  return port !== undefined && port >= range.low && port <= range.high;
}

/** `count` bytes as a big-endian number; undefined where they are not there. */
function number(
  frame: Uint8Array,
  at: number,
  count: number,
): number | undefined {
  if (at + count > frame.length) return undefined;
  let sum = 0;
  for (let index = at; index < at + count; index++) {
    sum = sum * 256 + frame[index]!;
  }
  return sum;
}
