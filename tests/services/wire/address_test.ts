import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatIpv4,
  formatIpv6,
  formatMac,
  parseIpv4Address,
  parseMac,
} from "../../../services/wire/address.ts";
import { bits, bytesOf } from "../../arbitraries/reprs.ts";
import { testProperty } from "../../property.ts";

testProperty(
  "parseIpv4Address() reads what formatIpv4() writes",
  { runs: 200, file: import.meta.url },
  fc.property(bits(32), (address) => {
    assert.equal(parseIpv4Address(formatIpv4(address)), address);
  }),
);

testProperty(
  "parseMac() reads what formatMac() writes",
  { runs: 200, file: import.meta.url },
  fc.property(bytesOf(6), (mac) => {
    assert.deepEqual(parseMac(formatMac(mac)), mac);
  }),
);

Deno.test("the parsers refuse what only looks like an address", () => {
  for (
    const text of [
      "",
      "10.0.0",
      "10.0.0.256",
      "10.0.0.01",
      "0x0a.0.0.1",
      "167772161",
      " 10.0.0.1",
      "10.0.0.1 ",
      "10.0.0.1.",
      "::1",
    ]
  ) assert.equal(parseIpv4Address(text), undefined, text);
  for (
    const text of ["", "02:00:00:00:00", "02:00:00:00:00:0g", "020000000001"]
  ) {
    assert.equal(parseMac(text), undefined, text);
  }
});

Deno.test("formatIpv6() shortens as RFC 5952 says", () => {
  const bytes = new Uint8Array(17);
  bytes.set([0xfe, 0x80], 1);
  bytes[16] = 1;
  assert.equal(formatIpv6(bytes, 1), "fe80::1");
});
