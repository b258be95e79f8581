import assert from "node:assert/strict";
import fc from "fast-check";
import {
  emitIpv4,
  ipv4Bytes,
  type Ipv4Repr,
  isHostAddress,
  parseIpv4,
} from "../../../services/wire/ipv4.ts";
import { parseIpv4Address } from "../../../services/wire/address.ts";
import { ipv4Repr, plainIpv4Repr } from "../../arbitraries/reprs.ts";
import { testProperty } from "../../property.ts";
import { testCodec } from "./codec_laws.ts";

testCodec<Ipv4Repr>({
  name: "ipv4",
  reprs: fc.integer({ min: 0, max: 40 }).chain((size) => ipv4Repr(size)),
  parse: parseIpv4,
  emit: emitIpv4,
  size: ipv4Bytes,
  behind: (repr) => repr.payloadBytes,
}, import.meta.url);

testProperty(
  "parseIpv4() refuses a header with any one bit flipped",
  { runs: 500, file: import.meta.url },
  fc.property(ipv4Repr(0), fc.nat({ max: 479 }), (repr, bit) => {
    const bytes = new Uint8Array(ipv4Bytes(repr));
    emitIpv4(repr, bytes, 0);
    const at = (bit >>> 3) % bytes.length;
    bytes[at] = bytes[at]! ^ 1 << (bit & 7);
    assert.equal(typeof parseIpv4(bytes, 0, bytes.length), "string");
  }),
);

Deno.test("parseIpv4() says why: version, header length, total length, checksum", () => {
  const [repr] = fc.sample(plainIpv4Repr(0, 17), 1);
  const packet = new Uint8Array(20);
  emitIpv4(repr!, packet, 0);
  const changed = (at: number, value: number) => {
    const copy = Uint8Array.from(packet);
    copy[at] = value;
    return parseIpv4(copy, 0, copy.length);
  };
  assert.equal(changed(0, 0x65), "version");
  assert.equal(changed(0, 0x44), "header-length");
  assert.equal(changed(0, 0x46), "truncated");
  assert.equal(changed(3, 19), "total-length");
  assert.equal(changed(3, 21), "truncated");
  assert.equal(changed(8, packet[8]! ^ 1), "checksum");
});

Deno.test("emitIpv4() refuses options that are no multiple of 4, and too much payload", () => {
  const [repr] = fc.sample(plainIpv4Repr(0, 17), 1);
  const bytes = new Uint8Array(100);
  const withOptions = (count: number) => ({
    ...repr!,
    options: new Uint8Array(count),
  });
  assert.throws(() => emitIpv4(withOptions(3), bytes, 0), RangeError);
  assert.throws(() => emitIpv4(withOptions(44), bytes, 0), RangeError);
  const large = { ...repr!, payloadBytes: 65516 };
  assert.throws(() => emitIpv4(large, bytes, 0), RangeError);
});

Deno.test("isHostAddress() refuses what no one host can have", () => {
  const is = (text: string) => isHostAddress(parseIpv4Address(text)!);
  for (const text of ["10.77.0.1", "1.0.0.0", "126.1.2.3", "223.255.255.254"]) {
    assert.equal(is(text), true, text);
  }
  for (
    const text of [
      "0.0.0.0",
      "0.1.2.3",
      "127.0.0.1",
      "224.0.0.1",
      "240.0.0.1",
      "255.255.255.255",
    ]
  ) assert.equal(is(text), false, text);
});
