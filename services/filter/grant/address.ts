/** Addresses as a filter's text has them, to the bytes of a grant and back. */

import ipaddr from "ipaddr.js";
import { formatMac, parseMac } from "../../wire/address.ts";
import { GrantError, type MacPattern, type Prefix } from "./grant.ts";
import { prefixMask } from "./check.ts";

const EXACT = [255, 255, 255, 255, 255, 255];

/**
 * The pattern for `02:00:5e:10:00:00`, or for it under a mask written alike.
 *
 * @throws {GrantError} when either is not six bytes in hexadecimal.
 */
export function parseMacPattern(text: string, mask?: string): MacPattern {
  const bits = mask === undefined ? EXACT : macBytes(mask);
  const address = macBytes(text).map((byte, index) => byte & bits[index]!);
  return { address, mask: bits };
}

function macBytes(text: string): number[] {
  const bytes = parseMac(text);
  if (bytes === undefined) {
    throw new GrantError(
      `${
        JSON.stringify(text)
      }: expected an Ethernet address, such as 02:53:0a:4d:00:02`,
    );
  }
  return [...bytes];
}

/**
 * The prefix for `10.77.0.2`, `10.77.0.0/16`, `2001:db8::1` or `2001:db8::/32`.
 * Bits after the prefix are cleared.
 *
 * @throws {GrantError} when it is no such thing, or of the other version.
 */
export function parsePrefix(text: string, version: "ipv4" | "ipv6"): Prefix {
  const [host = "", bits] = text.split("/", 2);
  const isValid = version === "ipv4"
    ? ipaddr.IPv4.isValidFourPartDecimal(host)
    : ipaddr.IPv6.isValid(host) && !host.includes("%");
  const bytes = isValid ? ipaddr.parse(host).toByteArray() : [];
  const length = bits === undefined ? bytes.length * 8 : Number(bits);
  const bitsAreGood = bits === undefined || /^\d{1,3}$/.test(bits);
  if (!isValid || !bitsAreGood || length > bytes.length * 8) {
    const example = version === "ipv4"
      ? "10.77.0.2 or 10.77.0.0/16"
      : "2001:db8::1 or 2001:db8::/32";
    throw new GrantError(
      `${JSON.stringify(text)}: expected an ${
        version === "ipv4" ? "IPv4" : "IPv6"
      } address or prefix, such as ${example}`,
    );
  }
  return {
    address: bytes.map((byte, index) => byte & prefixMask(length, index)),
    length,
  };
}

/** `host 10.77.0.2`, or `net 10.77.0.0/16`. */
export function describePrefix(prefix: Prefix): string {
  const { address, length } = prefix;
  const text = address.length === 4
    ? address.join(".")
    : new ipaddr.IPv6([...address]).toRFC5952String();
  return length === address.length * 8
    ? `host ${text}`
    : `net ${text}/${length}`;
}

/** `02:00:5e:10:00:00`. */
export function describeMac(bytes: readonly number[]): string {
  return formatMac(Uint8Array.from(bytes));
}
