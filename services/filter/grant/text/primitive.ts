/** The terms of one word or phrase of a text that is to be a grant. */

import { grantAddress } from "./host.ts";
import { grantPort } from "./port.ts";
import {
  behindTag,
  carrying,
  ipTerm,
  type Phrase,
  unsayable,
} from "./phrase.ts";
import type { Term } from "./terms.ts";
import { IP_PROTOCOL, type IpPayload } from "../grant.ts";
import { isTagType } from "../check.ts";
import type { Arithmetic, Expression, Primitive } from "../../language/ast.ts";
import type { ProtocolName } from "../../language/keywords.ts";
import {
  ABOVE_IP,
  etherProtocolOf,
  ipProtocolOf,
} from "../../language/names.ts";
import { ETHERTYPE, WALKED_EXTENSIONS } from "../../../wire/numbers.ts";

/** The greatest number in the type field that is a length (IEEE 802.3). */
const LENGTH_MAX = 1500;

/** Protocols that 802.2 frames carry beside, or alone. */
const OVER_LLC: readonly ProtocolName[] = ["atalk", "aarp", "ipx"];

/** The terms of a phrase. Throws where none can say it. */
export function termsOf(node: Expression, phrase: Phrase): Term[] {
  const { column } = node;
  switch (node.kind) {
    case "everything":
      return [{ conjunction: {} }];
    case "protocol":
      return namedProtocol(node.protocol, column, phrase);
    case "primitive":
      return primitive(node, phrase);
    case "relation":
      return relation(node, phrase);
    case "broadcast": {
      if (node.protocol !== undefined && node.protocol !== "link") break;
      const all = [255, 255, 255, 255, 255, 255];
      return [{ conjunction: { etherDst: { address: all, mask: all } } }];
    }
    case "multicast":
      return multicast(node.protocol, column, phrase);
    case "pppoed":
      return etherType(0x8863, column, phrase);
  }
  throw unsayable(column, phrase);
}

function namedProtocol(
  name: ProtocolName,
  column: number,
  phrase: Phrase,
): Term[] {
  const above = ABOVE_IP[name];
  if (above !== undefined) {
    return ipProtocol(above[0], above[1], column, phrase);
  }
  const type = OVER_LLC.includes(name) ? undefined : etherProtocolOf(name);
  if (type === undefined) throw unsayable(column, phrase);
  return etherType(type, column, phrase);
}

function etherType(type: number, column: number, phrase: Phrase): Term[] {
  if (type <= LENGTH_MAX) {
    throw phrase.terms.error({
      column,
      problem: "a grant does not look into frames with a length in the place " +
        "of a type",
      expected: "an Ethernet type above 1500, or this in the residual",
    });
  }
  if (isTagType(type) && !phrase.isTagged) {
    throw phrase.terms.error({
      column,
      problem: "this is the type of a VLAN tag",
      expected: "`vlan`",
    });
  }
  const payload = { kind: "type", etherType: type } as const;
  return [carrying(payload, behindTag(column, phrase))];
}

function ipProtocol(
  number: number,
  under: "ip" | "ip6" | undefined,
  column: number,
  phrase: Phrase,
): Term[] {
  if (under === undefined) {
    return [
      ...ipProtocol(number, "ip", column, phrase),
      ...ipProtocol(number, "ip6", column, phrase),
    ];
  }
  if (number > 255) return [];
  if (under === "ip6" && WALKED_EXTENSIONS.includes(number)) {
    const unsaid = {
      column,
      problem:
        `${number} is an IPv6 extension header, which a grant walks over`,
      expected: "`ip` before it, what comes after the header, or this in the " +
        "residual",
    };
    const payload = { kind: "type", etherType: ETHERTYPE.ipv6 } as const;
    return [carrying(payload, behindTag(column, phrase), unsaid)];
  }
  const kind = under === "ip" ? "ipv4" : "ipv6";
  const payload: IpPayload = { kind, fragment: "any", protocol: number };
  return [ipTerm(payload, column, phrase)];
}

function primitive(node: Primitive, phrase: Phrase): Term[] {
  const { qualifiers, identifier, column } = node;
  switch (qualifiers.type) {
    case "port":
    case "portrange":
      return grantPort(node, phrase);
    case "proto": {
      const { protocol } = qualifiers;
      const lookUp = protocol === "link" ? etherProtocolOf : ipProtocolOf;
      const number = identifier.kind === "number"
        ? identifier.value
        : identifier.kind === "name"
        ? lookUp(identifier.text)
        : undefined;
      if (number === undefined) break;
      if (protocol === "link") return linkProtocol(number, column, phrase);
      if (protocol === undefined || protocol === "ip" || protocol === "ip6") {
        return ipProtocol(number, protocol, column, phrase);
      }
      break;
    }
    case "protochain":
    case "gateway":
      break;
    default:
      return grantAddress(node, phrase);
  }
  throw unsayable(column, phrase);
}

function linkProtocol(
  number: number,
  column: number,
  phrase: Phrase,
): Term[] {
  const overLlc = OVER_LLC.some((name) => etherProtocolOf(name) === number);
  // 0x8137 is IPX's type; libpcap takes it with and without 802.2.
  if (overLlc || number === 0x8137) throw unsayable(column, phrase);
  if (number > 0xffff) return [];
  return etherType(number, column, phrase);
}

function multicast(
  protocol: ProtocolName | undefined,
  column: number,
  phrase: Phrase,
): Term[] {
  switch (protocol) {
    case undefined:
    case "link": {
      const bit = [1, 0, 0, 0, 0, 0];
      return [{ conjunction: { etherDst: { address: bit, mask: bit } } }];
    }
    case "ip": {
      const dst = { address: [224, 0, 0, 0], length: 3 };
      return [ipTerm({ kind: "ipv4", fragment: "any", dst }, column, phrase)];
    }
    case "ip6": {
      const address = [255, ...new Array<number>(15).fill(0)];
      const dst = { address, length: 8 };
      return [ipTerm({ kind: "ipv6", fragment: "any", dst }, column, phrase)];
    }
  }
  throw unsayable(column, phrase);
}

/** `icmp[icmptype] = N`, `icmp6[0] = N`, `arp[6:2] = N`, `ip[6:2] & 0x3fff = 0` or `!= 0`. */
function relation(
  node: Extract<Expression, { kind: "relation" }>,
  phrase: Phrase,
): Term[] {
  const { left, right, column } = node;
  const wanted = right.kind === "number" ? right.value : undefined;
  if (wanted === undefined) throw unsayable(column, phrase);
  const equals = node.relation === "=";
  if (equals && isLoad(left, "icmp", 0, 1) && wanted <= 255) {
    const { icmp: protocol } = IP_PROTOCOL;
    const payload: IpPayload = {
      kind: "ipv4",
      fragment: "whole",
      protocol,
      icmpType: wanted,
    };
    return [ipTerm(payload, left.column, phrase)];
  }
  if (equals && isLoad(left, "icmp6", 0, 1) && wanted <= 255) {
    const { icmp6: protocol } = IP_PROTOCOL;
    const payload: IpPayload = {
      kind: "ipv6",
      fragment: "whole",
      protocol,
      icmpType: wanted,
    };
    return [ipTerm(payload, left.column, phrase)];
  }
  if (equals && isLoad(left, "arp", 6, 2) && wanted <= 0xffff) {
    const payload = { kind: "arp", operation: wanted } as const;
    return [carrying(payload, behindTag(left.column, phrase))];
  }
  const isFragments = wanted === 0 && left.kind === "binary" &&
    left.operator === "&" && isLoad(left.left, "ip", 6, 2) &&
    left.right.kind === "number" && left.right.value === 0x3fff;
  if (isFragments && (equals || node.relation === "!=")) {
    const fragment = equals ? "whole" : "fragment";
    return [ipTerm({ kind: "ipv4", fragment }, left.column, phrase)];
  }
  throw unsayable(left.column, phrase);
}

function isLoad(
  value: Arithmetic,
  protocol: ProtocolName,
  offset: number,
  size: number,
): boolean {
  return value.kind === "load" && value.protocol === protocol &&
    value.size === size && value.index.kind === "number" &&
    value.index.value === offset;
}
