/**
 * Checks that a value from somebody else is a grant, and copies what belongs to
 * one. Equal sets of fields come out equal, whatever order or bits beyond a mask
 * they came with.
 */

import { given } from "../../../caps/kernel/given.ts";
import {
  type ArpPayload,
  type Conjunction,
  CONJUNCTIONS_MAX,
  type FragmentClass,
  type Grant,
  GrantError,
  IP_PROTOCOL,
  type IpPayload,
  type MacPattern,
  type Payload,
  type PortRange,
  type Prefix,
  PROTOCOLS_WITH_PORTS,
} from "./grant.ts";
import { ConjunctionSet } from "./conjunction_set.ts";
import { ETHERTYPE, WALKED_EXTENSIONS } from "../../wire/numbers.ts";

/**
 * Returns `value` as a grant: a copy with the known fields only, and each
 * conjunction once.
 *
 * @throws {GrantError} naming the field, what it is and what was expected.
 */
export function checkGrant(value: unknown): Grant {
  if (!Array.isArray(value)) {
    throw new GrantError("grant: expected a list of conjunctions");
  }
  if (value.length < 1 || value.length > CONJUNCTIONS_MAX) {
    throw new GrantError(
      `grant: ${value.length} conjunctions; expected 1 to ${CONJUNCTIONS_MAX}`,
    );
  }
  const checked = Array.from(
    value,
    (one: unknown, index) => checkConjunction(one, `grant[${index}]`),
  );
  return new ConjunctionSet(checked).grant;
}

function checkConjunction(value: unknown, at: string): Conjunction {
  const known = ["etherDst", "etherSrc", "vlan", "payload"];
  const { etherDst, etherSrc, vlan, payload } = record(value, at, known);
  if (vlan !== undefined && vlan !== "any") {
    wholeNumber(vlan, `${at}.vlan`, 0, 4095);
  }
  const checked = payload === undefined
    ? undefined
    : checkPayload(payload, `${at}.payload`);
  if (
    vlan === undefined && checked?.kind === "type" &&
    isTagType(checked.etherType)
  ) {
    throw new GrantError(
      `${at}.payload.etherType: ${
        hex(checked.etherType)
      } is a VLAN tag; say vlan: "any" or its number instead`,
    );
  }
  return {
    ...(etherDst === undefined
      ? {}
      : { etherDst: checkMac(etherDst, `${at}.etherDst`) }),
    ...(etherSrc === undefined
      ? {}
      : { etherSrc: checkMac(etherSrc, `${at}.etherSrc`) }),
    ...(vlan === undefined ? {} : { vlan: vlan as number | "any" }),
    ...given({ payload: checked }),
  };
}

/** Whether an Ethernet type announces a VLAN tag. */
export function isTagType(etherType: number): boolean {
  return etherType === ETHERTYPE.vlan || etherType === ETHERTYPE.providerVlan;
}

function checkPayload(value: unknown, at: string): Payload {
  const kind = typeof value === "object" && value !== null && "kind" in value
    ? value.kind
    : undefined;
  switch (kind) {
    case "type": {
      const { etherType } = record(value, at, ["kind", "etherType"]);
      return {
        kind,
        etherType: wholeNumber(etherType, `${at}.etherType`, 0, 0xffff),
      };
    }
    case "arp":
      return checkArp(value, at);
    case "ipv4":
    case "ipv6":
      return checkIp(value, at, kind);
    default:
      throw new GrantError(
        `${at}.kind: expected "type", "arp", "ipv4" or "ipv6"`,
      );
  }
}

function checkArp(value: unknown, at: string): ArpPayload {
  const known = ["kind", "operation", "sender", "target"];
  const { operation, sender, target } = record(value, at, known);
  return {
    kind: "arp",
    ...(operation === undefined
      ? {}
      : { operation: wholeNumber(operation, `${at}.operation`, 0, 0xffff) }),
    ...(sender === undefined
      ? {}
      : { sender: checkPrefix(sender, `${at}.sender`, 4) }),
    ...(target === undefined
      ? {}
      : { target: checkPrefix(target, `${at}.target`, 4) }),
  };
}

const IP_FIELDS = [
  "kind",
  "src",
  "dst",
  "fragment",
  "protocol",
  "srcPort",
  "dstPort",
  "icmpType",
];

function checkIp(
  value: unknown,
  at: string,
  kind: "ipv4" | "ipv6",
): IpPayload {
  const all = record(value, at, IP_FIELDS);
  const { src, dst, protocol, srcPort, dstPort, icmpType } = all;
  const addressBytes = kind === "ipv4" ? 4 : 16;
  const payload: IpPayload = {
    kind,
    ...(src === undefined
      ? {}
      : { src: checkPrefix(src, `${at}.src`, addressBytes) }),
    ...(dst === undefined
      ? {}
      : { dst: checkPrefix(dst, `${at}.dst`, addressBytes) }),
    fragment: checkFragment(all.fragment, `${at}.fragment`),
    ...(protocol === undefined
      ? {}
      : { protocol: wholeNumber(protocol, `${at}.protocol`, 0, 255) }),
    ...(srcPort === undefined
      ? {}
      : { srcPort: checkRange(srcPort, `${at}.srcPort`) }),
    ...(dstPort === undefined
      ? {}
      : { dstPort: checkRange(dstPort, `${at}.dstPort`) }),
    ...(icmpType === undefined
      ? {}
      : { icmpType: wholeNumber(icmpType, `${at}.icmpType`, 0, 255) }),
  };
  checkTogether(payload, at);
  return payload;
}

/** What only makes sense beside something else. */
function checkTogether(ip: IpPayload, at: string): void {
  const { protocol } = ip;
  const ports = ip.srcPort !== undefined || ip.dstPort !== undefined;
  if (
    ports &&
    (protocol === undefined || !PROTOCOLS_WITH_PORTS.includes(protocol))
  ) {
    throw new GrantError(
      `${at}: ports with protocol ${protocol}; expected one that has them (${
        PROTOCOLS_WITH_PORTS.join(", ")
      })`,
    );
  }
  const icmp = ip.kind === "ipv4" ? IP_PROTOCOL.icmp : IP_PROTOCOL.icmp6;
  if (ip.icmpType !== undefined && protocol !== icmp) {
    throw new GrantError(
      `${at}: icmpType with protocol ${protocol}; expected ${icmp}`,
    );
  }
  if ((ports || ip.icmpType !== undefined) && ip.fragment !== "whole") {
    throw new GrantError(
      `${at}.fragment: "${ip.fragment}" with ports or an ICMP type; expected "whole"`,
    );
  }
  if (
    ip.kind === "ipv6" && protocol !== undefined &&
    WALKED_EXTENSIONS.includes(protocol)
  ) {
    throw new GrantError(
      `${at}.protocol: ${protocol} is an IPv6 extension header, which is walked over; expected what comes after it`,
    );
  }
}

function checkFragment(value: unknown, at: string): FragmentClass {
  if (value === "whole" || value === "fragment" || value === "any") {
    return value;
  }
  throw new GrantError(`${at}: expected "whole", "fragment" or "any"`);
}

function checkRange(value: unknown, at: string): PortRange {
  const all = record(value, at, ["low", "high"]);
  const low = wholeNumber(all.low, `${at}.low`, 0, 0xffff);
  const high = wholeNumber(all.high, `${at}.high`, 0, 0xffff);
  if (low > high) {
    throw new GrantError(`${at}: low ${low} is above high ${high}`);
  }
  return { low, high };
}

function checkMac(value: unknown, at: string): MacPattern {
  const all = record(value, at, ["address", "mask"]);
  const mask = checkBytes(all.mask, `${at}.mask`, 6);
  const address = checkBytes(all.address, `${at}.address`, 6);
  return {
    address: address.map((byte, index) => byte & mask[index]!),
    mask,
  };
}

function checkPrefix(value: unknown, at: string, sizeBytes: number): Prefix {
  const all = record(value, at, ["address", "length"]);
  const length = wholeNumber(all.length, `${at}.length`, 0, sizeBytes * 8);
  const address = checkBytes(all.address, `${at}.address`, sizeBytes);
  return {
    address: address.map((byte, index) => byte & prefixMask(length, index)),
    length,
  };
}

/** Byte `index` of the mask of a prefix of `length` bits. */
export function prefixMask(length: number, index: number): number {
  const bits = Math.min(8, Math.max(0, length - index * 8));
  return 0xff & ~(0xff >>> bits);
}

function checkBytes(value: unknown, at: string, count: number): number[] {
  if (!Array.isArray(value) || value.length !== count) {
    throw new GrantError(`${at}: expected ${count} bytes`);
  }
  return Array.from(
    value,
    (byte: unknown, index) => wholeNumber(byte, `${at}[${index}]`, 0, 255),
  );
}

function wholeNumber(
  value: unknown,
  at: string,
  low: number,
  high: number,
): number {
  if (typeof value === "number" && Number.isInteger(value)) {
    if (value >= low && value <= high) return value + 0;
  }
  throw new GrantError(
    `${at}: ${
      typeof value === "number" ? value : `a ${typeof value}`
    }; expected a whole number from ${low} to ${high}`,
  );
}

function record(
  value: unknown,
  at: string,
  known: readonly string[],
): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new GrantError(`${at}: expected an object`);
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      throw new GrantError(
        `${at}: unknown field ${JSON.stringify(key)}; known are ${
          known.join(", ")
        }`,
      );
    }
  }
  return value as Record<string, unknown>;
}

function hex(number: number): string {
  return `0x${number.toString(16).padStart(4, "0")}`;
}
