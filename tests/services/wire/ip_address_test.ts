import { deepEqual, equal, match, ok } from "node:assert/strict";
import { isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import {
  addressBits,
  formatIpAddress,
  formatIpPrefix,
  hostPart,
  type IpAddress,
  ipAddressBytes,
  isInPrefix,
  parseIpAddress,
  parseIpPrefix,
  sameIpAddress,
} from "../../../services/wire/ip_address.ts";
import { formatIpv6 } from "../../../services/wire/address.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;

const MAPPED = 0xffffn;

/** Addresses of both versions, with runs of zeros and of ones. */
const address: fc.Arbitrary<IpAddress> = fc.oneof(
  fc.bigInt(0n, 2n ** 32n - 1n).map((
    value,
  ) => ({ version: 4, value } as const)),
  fc.array(fc.constantFrom(0n, 0n, 1n, 0xffffn, 0xdb8n, 0x2001n), {
    minLength: 8,
    maxLength: 8,
  }).map((parts) => ({
    version: 6 as const,
    value: parts.reduce<bigint>((sum, part) => sum << 16n | part, 0n),
  })).filter(({ value }) => value >> 32n !== MAPPED),
);

testProperty(
  "an address is read as it is written, and its bytes are those of a frame",
  { runs: 500, file },
  fc.property(address, (one) => {
    const text = formatIpAddress(one);
    ok(one.version === 4 ? isIPv4(text) : isIPv6(text), text);
    deepEqual(parseIpAddress(text), one);
    const bytes = ipAddressBytes(one);
    equal(bytes.length * 8, addressBits(one.version));
    const hex = one.value.toString(16).padStart(2 * bytes.length, "0");
    equal(bytes.toHex(), hex);
    if (one.version === 6) equal(formatIpv6(bytes), text);
  }),
);

/** Texts that are nearly addresses. */
const text = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV4Extended(),
  fc.array(
    fc.constantFrom("::", ":", "0", "00", "ffff", "10000", "1", "g", "."),
    { maxLength: 12 },
  ).map((parts) => parts.join("")),
  fc.tuple(fc.constantFrom("::", "1::", "64:ff9b::", "1:2:3:4:5:6:"), fc.ipV4())
    .map((parts) => parts.join("")),
);

testProperty(
  "what Node takes for an address is one, and nothing else; but for IPv4 in IPv6's form, and zones",
  { runs: 2000, file },
  fc.property(text, (given) => {
    const read = parseIpAddress(given);
    if (typeof read !== "string") {
      ok(read.version === 4 ? isIPv4(given) : isIPv6(given), given);
      return;
    }
    if (isIPv4(given)) ok(false, given);
    if (isIPv6(given)) match(read, /IPv4 address in IPv6's form|zone/, given);
  }),
);

Deno.test("what is no address says why", () => {
  for (
    const [given, why] of [
      ["", "is no IPv4 or IPv6 address"],
      ["10.0.0.256", "is no IPv4 or IPv6 address"],
      ["10.0.0.01", "is no IPv4 or IPv6 address"],
      [" ::1", "is no IPv4 or IPv6 address"],
      ["::010.0.0.1", "is no IPv4 or IPv6 address"],
      ["1::2::3", "is no IPv4 or IPv6 address"],
      ["[::1]", "is no IPv4 or IPv6 address"],
      ["::ffff:10.0.0.1", "is an IPv4 address in IPv6's form; write 10.0.0.1"],
      ["::FFFF:a00:1", "is an IPv4 address in IPv6's form; write 10.0.0.1"],
      [
        "fe80::1%eth0",
        "has a zone (%eth0), which means something on one machine only",
      ],
    ] as const
  ) equal(parseIpAddress(given), why, given);
  for (
    const [given, why] of [
      ["fd00::2", "has no prefix, such as /24 or /64"],
      ["fd00::2/129", "has a prefix of 129 bits; IPv6 has 0 to 128"],
      ["10.0.0.1", "has no prefix, such as /24 or /64"],
      ["10.0.0/8", "is no IPv4 or IPv6 address"],
      ["10.0.0.1/33", "has a prefix of 33 bits; IPv4 has 0 to 32"],
      ["10.0.0.1/", "has a prefix of  bits; IPv4 has 0 to 32"],
      ["10.0.0.1/024", "has a prefix of 024 bits; IPv4 has 0 to 32"],
      ["10.0.0.1/-1", "has a prefix of -1 bits; IPv4 has 0 to 32"],
      ["10.0.0.1/1e1", "has a prefix of 1e1 bits; IPv4 has 0 to 32"],
      ["10.0.0.1/24/8", "is no IPv4 or IPv6 address"],
      ["/24", "is no IPv4 or IPv6 address"],
    ] as const
  ) equal(parseIpPrefix(given), why, given);
});

testProperty(
  "a prefix has its network's addresses, by the bits in front, and no others",
  { runs: 500, file },
  fc.property(
    address,
    fc.nat({ max: 128 }),
    fc.nat({ max: 127 }),
    (one, bits, turned) => {
      const most = addressBits(one.version);
      const prefix = { address: one, prefixBits: bits % (most + 1) };
      deepEqual(parseIpPrefix(formatIpPrefix(prefix)), prefix);
      // One bit of it, counted from the front, is another.
      const at = turned % most;
      const value = one.value ^ 1n << BigInt(most - 1 - at);
      const other: IpAddress = { version: one.version, value };
      equal(isInPrefix(one, prefix), true);
      equal(isInPrefix(other, prefix), at >= prefix.prefixBits);
      equal(sameIpAddress(one, other), false);
      equal(sameIpAddress(one, { ...one }), true);
      const bitsBehind = most - prefix.prefixBits;
      const digits = one.value.toString(2).padStart(most, "0");
      const behind = bitsBehind === 0 ? "0" : digits.slice(-bitsBehind);
      equal(hostPart(prefix), BigInt(`0b${behind}`));
    },
  ),
);

Deno.test("an address of one version is in no network of the other", () => {
  const every = parseIpPrefix("0.0.0.0/0");
  ok(typeof every !== "string");
  equal(isInPrefix({ version: 6, value: 1n }, every), false);
});
