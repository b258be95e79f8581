/** Identifiers that are addresses: `src host 10.0.0.1`, `net 10`, `ether host …`. */

import type { Identifier, Primitive, Qualifiers } from "../ast.ts";
import type { Test } from "../ir.ts";
import {
  anyIp4Address,
  decnetAddress,
  ip4Address,
  type Ip4Network,
  ip6Address,
  macAddress,
} from "./address.ts";
import { readDecnet, readIp4, readIp6, readMac } from "./address_text.ts";
import type { Lowering } from "./lowering.ts";

/** Lowers `host`, `net`, and what has no type. */
export function address(lowering: Lowering, node: Primitive): Test {
  const { identifier, qualifiers, column } = node;
  switch (identifier.kind) {
    case "mac":
      return mac(lowering, identifier.text, qualifiers, column);
    case "ip6":
      return ip6(lowering, identifier, qualifiers, column);
    case "ip4":
      return ip4(lowering, identifier, qualifiers, column);
    case "number":
      if (qualifiers.protocol === "decnet") {
        const { direction } = qualifiers;
        return decnetAddress(lowering, identifier.value, direction, column);
      }
      return ip4Match(
        lowering,
        [numbered(identifier.value, qualifiers)],
        qualifiers,
        column,
      );
    case "name":
      throw lowering.error(
        column,
        `\`${identifier.text}\` is a name, and names of hosts and networks ` +
          "are not looked up",
        "an address",
      );
  }
}

/** Lowers IPv4 addresses of one protocol and end, of which one must match. */
export function addressList(
  lowering: Lowering,
  nodes: readonly Primitive[],
): Test {
  const networks = nodes.map((node) => networkOf(lowering, node));
  const { qualifiers, column } = nodes[0]!;
  return ip4Match(lowering, networks, qualifiers, column);
}

function networkOf(lowering: Lowering, node: Primitive): Ip4Network {
  const { identifier, qualifiers, column } = node;
  return identifier.kind === "ip4"
    ? written(lowering, identifier, qualifiers, column)
    : numbered((identifier as { value: number }).value, qualifiers);
}

function mac(
  lowering: Lowering,
  text: string,
  { protocol, type, direction }: Qualifiers,
  column: number,
): Test {
  if (protocol !== "link" || type === "net") {
    throw lowering.error(
      column,
      "a MAC address where none is compared",
      "`ether host` before it",
    );
  }
  if (lowering.layout.link !== "ethernet") {
    throw lowering.error(
      column,
      `no MAC addresses on link type ${lowering.layout.link}`,
      "Ethernet",
    );
  }
  return macAddress(lowering.layout, readMac(text), direction);
}

function ip6(
  lowering: Lowering,
  { text, prefix }: Extract<Identifier, { kind: "ip6" }>,
  { protocol, type, direction }: Qualifiers,
  column: number,
): Test {
  const words = readIp6(text);
  if (words === undefined) {
    throw lowering.error(column, `${text} is not an IPv6 address`, "one");
  }
  if (protocol !== undefined && protocol !== "ip6") {
    throw lowering.error(
      column,
      `an IPv6 address with \`${protocol}\``,
      "`ip6` or nothing before `host` or `net`",
    );
  }
  const bits = prefixOf(lowering, prefix, 128, column);
  if (bits !== 128 && type !== "net") {
    throw lowering.error(column, "a prefix of a host", "`net` before it");
  }
  const mask = [0, 32, 64, 96].map((at) => maskOf(bits - at));
  if (words.some((word, i) => (word & ~mask[i]!) !== 0)) {
    throw hostBits(lowering, `${text}/${bits}`, column);
  }
  return ip6Address(lowering, { address: words, mask, direction }, column);
}

function ip4(
  lowering: Lowering,
  identifier: Extract<Identifier, { kind: "ip4" }>,
  qualifiers: Qualifiers,
  column: number,
): Test {
  const { text, prefix, mask } = identifier;
  const plain = prefix === undefined && mask === undefined;
  if (qualifiers.protocol === "decnet" && plain) {
    return decnet(lowering, text, qualifiers, column);
  }
  const network = written(lowering, identifier, qualifiers, column);
  return ip4Match(lowering, [network], qualifiers, column);
}

/** An address as it is written: with a prefix, a mask, or neither. */
function written(
  lowering: Lowering,
  { text, prefix, mask: maskText }: Extract<Identifier, { kind: "ip4" }>,
  qualifiers: Qualifiers,
  column: number,
): Ip4Network {
  const read = requireIp4(lowering, text, column);
  if (prefix === undefined && maskText === undefined) {
    return { address: read.address, mask: maskOf(read.bits) };
  }
  const mask = maskText === undefined
    ? maskOf(prefixOf(lowering, prefix, 32, column))
    : requireIp4(lowering, maskText, column).address;
  if ((read.address & ~mask) !== 0) {
    const written = maskText === undefined ? `/${prefix}` : ` mask ${maskText}`;
    throw hostBits(lowering, `${text}${written}`, column);
  }
  if (qualifiers.type !== "net") {
    throw lowering.error(column, "a mask of a host", "`net` before it");
  }
  return { address: read.address, mask };
}

/** A number as an address; as a network, `net 10` is 10.0.0.0/8. */
function numbered(number: number, qualifiers: Qualifiers): Ip4Network {
  let value = number;
  let mask = 0xffffffff;
  while (qualifiers.type === "net" && value !== 0 && value < 0x100_0000) {
    value = (value << 8) >>> 0;
    mask = (mask << 8) >>> 0;
  }
  return { address: value, mask };
}

function decnet(
  lowering: Lowering,
  text: string,
  { direction }: Qualifiers,
  column: number,
): Test {
  const value = readDecnet(text);
  if (value === undefined) {
    throw lowering.error(
      column,
      `${text} is not a DECnet address`,
      "AREA.NODE, such as 1.15",
    );
  }
  return decnetAddress(lowering, value, direction, column);
}

function ip4Match(
  lowering: Lowering,
  networks: readonly Ip4Network[],
  { protocol, direction }: Qualifiers,
  column: number,
): Test {
  const match = { networks, direction };
  if (protocol === undefined) return anyIp4Address(lowering, match, column);
  if (protocol === "ip" || protocol === "arp" || protocol === "rarp") {
    return ip4Address(lowering, protocol, match, column);
  }
  throw lowering.error(
    column,
    `an IPv4 address with \`${protocol === "link" ? "ether" : protocol}\``,
    "`ip`, `arp`, `rarp` or nothing before `host` or `net`",
  );
}

function requireIp4(lowering: Lowering, text: string, column: number) {
  const read = readIp4(text);
  if (read !== undefined) return read;
  throw lowering.error(
    column,
    `${text} is not an IPv4 address`,
    "numbers from 0 to 255",
  );
}

function prefixOf(
  lowering: Lowering,
  prefix: number | undefined,
  max: number,
  column: number,
): number {
  if (prefix === undefined) return max;
  if (prefix <= max) return prefix;
  throw lowering.error(column, `a prefix of ${prefix} bits`, `at most ${max}`);
}

/** A mask of the first `bits` of 32; none for 0 or less. */
function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? 0xffffffff : (0xffffffff << (32 - bits)) >>> 0;
}

function hostBits(lowering: Lowering, text: string, column: number): Error {
  return lowering.error(
    column,
    `${text} has bits outside its mask`,
    "zeros there",
  );
}
