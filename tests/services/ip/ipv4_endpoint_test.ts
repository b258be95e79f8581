import assert from "node:assert/strict";
import fc from "fast-check";
import { Ipv4Endpoint } from "../../../services/ip/ipv4_endpoint.ts";
import { parseIpv4Address } from "../../../services/wire/address.ts";
import { anyFrame, buildIpv4 } from "../../arbitraries/frames.ts";
import { ipv4Repr, plainIpv4Repr } from "../../arbitraries/reprs.ts";
import { testProperty } from "../../property.ts";
import { ethernetToUs, ipv4ToUs, OWN } from "../core/core_harness.ts";

/** What an endpoint says to `bytes` as a whole frame. */
function admit(
  bytes: Uint8Array<ArrayBuffer>,
  prefixBits?: number,
): string | undefined {
  const options = prefixBits === undefined ? OWN : { ...OWN, prefixBits };
  const frame = {
    bytes,
    start: 0,
    length: bytes.length,
    capacity: bytes.length,
    offload: 0,
  };
  return new Ipv4Endpoint(options).admit(frame, 17);
}

const [plain] = fc.sample(plainIpv4Repr(0, 17).map(ipv4ToUs), 1);
const payload = new Uint8Array(12);

Deno.test("a datagram is refused for its reason", () => {
  const refused = (change: Partial<typeof plain>) =>
    admit(buildIpv4(ethernetToUs(0x0800), { ...plain!, ...change }, payload));
  assert.equal(refused({}), undefined);
  assert.equal(refused({ destination: 0x0a4d0003 }), "drop:not-mine");
  assert.equal(refused({ moreFragments: true }), "drop:fragment");
  assert.equal(refused({ fragmentOffset: 1 }), "drop:fragment");
  assert.equal(refused({ protocol: 6 }), "drop:protocol");
  for (
    const source of [
      "0.0.0.0",
      "127.0.0.1",
      "224.0.0.1",
      "255.255.255.255",
      "10.77.0.2",
    ]
  ) {
    assert.equal(
      refused({ source: parseIpv4Address(source)! }),
      "drop:source",
      source,
    );
  }
});

Deno.test("a frame is refused for its reason", () => {
  const group = Uint8Array.of(1, 0, 0x5e, 0, 0, 1);
  const header = ethernetToUs(0x0800);
  const refused = (change: Partial<typeof header>) =>
    admit(buildIpv4({ ...header, ...change }, plain!, payload));
  assert.equal(refused({ destination: group }), "drop:not-mine");
  assert.equal(refused({ source: group }), "drop:source");
  assert.equal(refused({ etherType: 0x86dd }), "drop:not-ipv4");
  assert.equal(admit(new Uint8Array(13)), "drop:truncated");
  const changed = buildIpv4(header, plain!, payload);
  changed[22] = changed[22]! ^ 1;
  assert.equal(admit(changed), "drop:checksum");
});

Deno.test("the network's own and its broadcast address are refused where the prefix is known", () => {
  const from = (source: string, prefixBits?: number) =>
    admit(
      buildIpv4(
        ethernetToUs(0x0800),
        { ...plain!, source: parseIpv4Address(source)! },
        payload,
      ),
      prefixBits,
    );
  assert.equal(from("10.77.0.255", 24), "drop:source");
  assert.equal(from("10.77.0.0", 24), "drop:source");
  assert.equal(from("10.77.0.255", 16), undefined);
  assert.equal(from("10.77.1.255", 24), undefined);
  assert.equal(from("10.77.0.255"), undefined);
  assert.equal(from("10.77.0.3", 31), undefined);
  assert.equal(from("10.77.0.3", 30), "drop:source");
  assert.equal(from("10.255.255.255", 8), "drop:source");
});

testProperty(
  "what is admitted lies within the frame, and has the bytes that its header says",
  { runs: 1000, file: import.meta.url },
  fc.property(
    fc.oneof(
      anyFrame(),
      fc.nat({ max: 40 }).chain((size) => ipv4Repr(size, 17)).map((repr) =>
        buildIpv4(ethernetToUs(0x0800), repr, new Uint8Array(repr.payloadBytes))
      ),
    ),
    (bytes) => {
      const endpoint = new Ipv4Endpoint(OWN);
      const frame = {
        bytes,
        start: 0,
        length: bytes.length,
        capacity: bytes.length,
        offload: 0,
      };
      if (endpoint.admit(frame, 17) !== undefined) return;
      const { headerAt, payloadAt, payloadEnd } = endpoint;
      assert.ok(headerAt >= 14 && headerAt + 20 <= payloadAt);
      assert.ok(payloadAt <= payloadEnd && payloadEnd <= bytes.length);
      assert.equal(
        payloadEnd - headerAt,
        bytes[headerAt + 2]! * 256 + bytes[headerAt + 3]!,
      );
    },
  ),
);
