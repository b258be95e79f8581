import assert from "node:assert/strict";
import fc from "fast-check";
import { makeIcmpEcho } from "../../../services/icmp-echo/core.ts";
import { anyFrame, buildIcmp, flipped } from "../../arbitraries/frames.ts";
import {
  bits,
  bytesUpTo,
  icmpRepr,
  ipv4Repr,
  vlanTags,
} from "../../arbitraries/reprs.ts";
import { testProperty } from "../../property.ts";
import {
  ethernetToUs,
  ipv4Back,
  ipv4ToUs,
  NEIGHBOUR,
  OWN,
  receiveOne,
} from "../core/core_harness.ts";

const file = import.meta.url;

function request(payloadBytesMax: number) {
  return fc.record({
    kind: fc.constant("echo-request" as const),
    identifier: fc.oneof(fc.constantFrom(0, 0xffff), bits(16)),
    sequence: fc.oneof(fc.constantFrom(0, 0xffff), bits(16)),
    payload: fc.oneof(
      bytesUpTo(payloadBytesMax),
      fc.constant(new Uint8Array(8)),
    ),
  });
}

testProperty(
  "an echo request is answered with its own data, padding and options left out",
  { runs: 500, file },
  fc.property(
    vlanTags(),
    ipv4Repr(0, 1).map(ipv4ToUs),
    request(1472),
    bytesUpTo(18),
    (tags, ipv4, icmp, padding) => {
      const ethernet = ethernetToUs(0x0800, tags);
      const asked = buildIcmp(ethernet, ipv4, icmp);
      const core = makeIcmpEcho(OWN);
      const { verdict, reply } = receiveOne(
        core,
        Uint8Array.from([...asked, ...padding]),
      );
      assert.equal(verdict, "reply");
      assert.deepEqual(
        reply,
        buildIcmp(
          { ...ethernet, destination: NEIGHBOUR.mac, source: OWN.mac },
          ipv4Back(ipv4, 8 + icmp.payload.length),
          { ...icmp, kind: "echo-reply" },
        ),
      );
      assert.deepEqual(core.counters(), { echoed: 1 });
    },
  ),
);

testProperty(
  "whatever comes, nothing is thrown, and a request with a bit flipped behind the Ethernet header is not answered",
  { runs: 1000, file },
  fc.property(
    anyFrame(),
    ipv4Repr(0, 1).map(ipv4ToUs),
    request(64),
    fc.nat(),
    (noise, ipv4, icmp, flip) => {
      const core = makeIcmpEcho(OWN);
      assert.match(
        receiveOne(core, noise).verdict,
        /^(reply|drop:[a-z0-9-]+)$/,
      );
      const frame = buildIcmp(ethernetToUs(0x0800), ipv4, icmp);
      const at = 14 + (flip >>> 3) % (frame.length - 14);
      frame[at] = frame[at]! ^ 1 << (flip & 7);
      assert.match(receiveOne(core, frame).verdict, /^drop:/);
    },
  ),
);

testProperty(
  "a message that is no echo request is not answered",
  { runs: 300, file },
  fc.property(
    ipv4Repr(0, 1).map(ipv4ToUs),
    icmpRepr(40).filter((icmp) => icmp.kind !== "echo-request"),
    (ipv4, icmp) => {
      const frame = buildIcmp(ethernetToUs(0x0800), ipv4, icmp);
      const { verdict } = receiveOne(makeIcmpEcho(OWN), frame);
      assert.equal(verdict, "drop:not-echo");
    },
  ),
);

testProperty(
  "a frame damaged anywhere at most gets an answer to one station",
  { runs: 1000, file },
  fc.property(
    flipped(
      fc.tuple(ipv4Repr(0, 1).map(ipv4ToUs), request(40)).map(([ipv4, icmp]) =>
        buildIcmp(ethernetToUs(0x0800), ipv4, icmp)
      ),
    ),
    (frame) => {
      const { verdict, reply } = receiveOne(makeIcmpEcho(OWN), frame);
      if (verdict === "reply") assert.equal(reply[0]! & 1, 0);
    },
  ),
);
