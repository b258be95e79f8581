/** The terms of `host` and `net`, and of addresses without either. */

import type { ArpPayload, IpPayload, Prefix } from "../grant.ts";
import { endsOf } from "./port.ts";
import {
  behindTag,
  carrying,
  ipTerm,
  type Phrase,
  unsayable,
} from "./phrase.ts";
import type { Term } from "./terms.ts";
import type { Primitive } from "../../language/ast.ts";
import {
  readIp4,
  readIp6,
  readMac,
} from "../../language/lower/address_text.ts";

const RARP = 0x8035;

/** The terms of an address. The text was compiled before. */
export function grantAddress(node: Primitive, phrase: Phrase): Term[] {
  const { identifier, qualifiers, column } = node;
  const { direction } = qualifiers;
  if (identifier.kind === "mac") {
    const mac = {
      address: readMac(identifier.text),
      mask: new Array<number>(6).fill(255),
    };
    return endsOf(direction).map(({ src, dst }) => ({
      conjunction: {
        ...(dst ? { etherDst: mac } : {}),
        ...(src ? { etherSrc: mac } : {}),
      },
    }));
  }
  if (identifier.kind === "ip6") {
    const words = readIp6(identifier.text);
    if (words === undefined) throw unsayable(column, phrase);
    const address = words.flatMap(bytesOf);
    const prefix = { address, length: identifier.prefix ?? 128 };
    return ipAddress("ipv6", prefix, node, phrase);
  }
  const prefix = ip4Prefix(node, phrase);
  switch (qualifiers.protocol) {
    case "ip":
      return ipAddress("ipv4", prefix, node, phrase);
    case "arp":
      return arpAddress(prefix, node, phrase);
    case "rarp":
      return rarpAddress(node, phrase);
    case undefined:
      return [
        ...ipAddress("ipv4", prefix, node, phrase),
        ...arpAddress(prefix, node, phrase),
        ...rarpAddress(node, phrase),
      ];
  }
  throw unsayable(column, phrase);
}

function ipAddress(
  kind: "ipv4" | "ipv6",
  prefix: Prefix,
  { qualifiers, column }: Primitive,
  phrase: Phrase,
): Term[] {
  return endsOf(qualifiers.direction).map(({ src, dst }) => {
    const payload: IpPayload = {
      kind,
      fragment: "any",
      ...(src ? { src: prefix } : {}),
      ...(dst ? { dst: prefix } : {}),
    };
    return ipTerm(payload, column, phrase);
  });
}

function arpAddress(
  prefix: Prefix,
  { qualifiers, column }: Primitive,
  phrase: Phrase,
): Term[] {
  return endsOf(qualifiers.direction).map(({ src, dst }) => {
    const payload: ArpPayload = {
      kind: "arp",
      ...(src ? { sender: prefix } : {}),
      ...(dst ? { target: prefix } : {}),
    };
    return carrying(payload, behindTag(column, phrase));
  });
}

/** Grants have no fields for RARP: this must meet something that leaves none. */
function rarpAddress({ column }: Primitive, phrase: Phrase): Term[] {
  const unsaid = {
    column,
    problem:
      "an address is looked for in RARP, too, and a grant cannot say that",
    expected: "`ip` or `arp` before `host` or `net`, or a protocol beside it",
  };
  const payload = { kind: "type", etherType: RARP } as const;
  return [carrying(payload, behindTag(column, phrase), unsaid)];
}

function ip4Prefix(node: Primitive, phrase: Phrase): Prefix {
  const { identifier, qualifiers, column } = node;
  if (identifier.kind === "number") {
    let { value } = identifier;
    let length = 32;
    // `net 10` is 10.0.0.0/8.
    while (qualifiers.type === "net" && value !== 0 && value < 0x100_0000) {
      value *= 256;
      length -= 8;
    }
    return { address: bytesOf(value), length };
  }
  const read = identifier.kind === "ip4" ? readIp4(identifier.text) : undefined;
  if (identifier.kind !== "ip4" || read === undefined) {
    throw unsayable(column, phrase);
  }
  const address = bytesOf(read.address);
  const { prefix, mask } = identifier;
  if (mask === undefined) return { address, length: prefix ?? read.bits };
  const bits = readIp4(mask)?.address ?? 0;
  const length = Math.clz32(~bits);
  if (bits !== (length === 0 ? 0 : (~0 << (32 - length)) >>> 0)) {
    throw phrase.terms.error({
      column,
      problem: "a grant has prefixes, and this mask is none",
      expected: "a mask of ones before zeros",
    });
  }
  return { address, length };
}

/** The bytes of a word, the first the most significant. */
function bytesOf(word: number): number[] {
  return [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255];
}
