import assert from "node:assert/strict";
import {
  CHECKSUM_COMPLETE,
  CHECKSUM_MAY_BE_PARTIAL,
  CHECKSUM_PARTIAL,
} from "../../../caps/port/offload.ts";
import fc from "fast-check";
import { makeUdpEcho } from "../../../services/udp-echo/core.ts";
import { anyFrame, buildIpv4, buildUdp } from "../../arbitraries/frames.ts";
import { bytesUpTo, ipv4Repr, vlanTags } from "../../arbitraries/reprs.ts";
import { foldSum, pseudoHeaderSum } from "../../../services/wire/checksum.ts";
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

function datagram(payloadBytesMax: number) {
  return fc.record({
    sourcePort: fc.integer({ min: 1024, max: 65535 }),
    destinationPort: fc.constant(7),
    checksummed: fc.boolean(),
    payload: bytesUpTo(payloadBytesMax),
  });
}

testProperty(
  "a datagram comes back whole, with a checksum only if it had one",
  { runs: 500, file },
  fc.property(
    vlanTags(),
    ipv4Repr(0, 17).map(ipv4ToUs),
    datagram(1472),
    bytesUpTo(18),
    (tags, ipv4, udp, padding) => {
      const ethernet = ethernetToUs(0x0800, tags);
      const sent = buildUdp(ethernet, ipv4, udp);
      const core = makeUdpEcho(OWN);
      const { verdict, reply } = receiveOne(
        core,
        Uint8Array.from([...sent, ...padding]),
      );
      assert.equal(verdict, "reply");
      assert.deepEqual(
        reply,
        buildUdp(
          { ...ethernet, destination: NEIGHBOUR.mac, source: OWN.mac },
          ipv4Back(ipv4, 0),
          { ...udp, sourcePort: 7, destinationPort: udp.sourcePort },
        ),
      );
      assert.deepEqual(core.counters(), { echoed: 1 });
    },
  ),
);

testProperty(
  "a checksum that a kernel left to hardware is completed, where that may be, and only there",
  { runs: 300, file },
  fc.property(
    ipv4Repr(0, 17).map(ipv4ToUs),
    datagram(1472),
    fc.constantFrom(
      CHECKSUM_COMPLETE,
      CHECKSUM_MAY_BE_PARTIAL,
      CHECKSUM_PARTIAL,
    ),
    (ipv4, udp, offload) => {
      const ethernet = ethernetToUs(0x0800);
      const whole = buildUdp(ethernet, ipv4, { ...udp, checksummed: true });
      const partial = whole.slice();
      const at = 34 + ipv4.options.length;
      const pseudoSum = pseudoHeaderSum(ipv4.source, ipv4.destination, 17);
      const left = foldSum(pseudoSum + partial.length - at);
      partial[at + 6] = left >>> 8;
      partial[at + 7] = left & 255;
      fc.pre(partial.some((byte, i) => byte !== whole[i]));
      const got = receiveOne(makeUdpEcho(OWN), partial, { offload });
      const expected = receiveOne(makeUdpEcho(OWN), whole);
      if (offload !== CHECKSUM_COMPLETE) assert.deepEqual(got, expected);
      else assert.equal(got.verdict, "drop:checksum");
    },
  ),
);

testProperty(
  "what lies behind a datagram within its packet is not sent back",
  { runs: 200, file },
  fc.property(
    ipv4Repr(0, 17).map(ipv4ToUs),
    datagram(40),
    bytesUpTo(9),
    (ipv4, udp, surplus) => {
      const ethernet = ethernetToUs(0x0800);
      const exact = buildUdp(ethernet, ipv4, udp);
      const payload = exact.subarray(34 + ipv4.options.length);
      const longer = Uint8Array.from([...payload, ...surplus]);
      const { reply } = receiveOne(
        makeUdpEcho(OWN),
        buildIpv4(ethernet, ipv4, longer),
      );
      const { reply: expected } = receiveOne(makeUdpEcho(OWN), exact);
      assert.deepEqual(reply, expected);
    },
  ),
);

testProperty(
  "whatever comes, nothing is thrown, and a checksummed datagram with a bit flipped is not echoed",
  { runs: 1000, file },
  fc.property(
    anyFrame(),
    ipv4Repr(0, 17).map(ipv4ToUs),
    datagram(64),
    fc.nat(),
    (noise, ipv4, udp, flip) => {
      const core = makeUdpEcho(OWN);
      assert.match(
        receiveOne(core, noise).verdict,
        /^(reply|drop:[a-z0-9-]+)$/,
      );
      const frame = buildUdp(ethernetToUs(0x0800), ipv4, {
        ...udp,
        checksummed: true,
      });
      const at = 14 + (flip >>> 3) % (frame.length - 14);
      frame[at] = frame[at]! ^ 1 << (flip & 7);
      const sumAt = 14 + 20 + ipv4.options.length + 6;
      const unchecked = frame[sumAt] === 0 && frame[sumAt + 1] === 0;
      if (!unchecked) assert.match(receiveOne(core, frame).verdict, /^drop:/);
    },
  ),
);

Deno.test("datagrams that must not be echoed are dropped for their reason", () => {
  const [ipv4] = fc.sample(ipv4Repr(0, 17).map(ipv4ToUs), 1);
  const verdict = (sourcePort: number, destinationPort = 7, port?: number) => {
    const options = port === undefined ? OWN : { ...OWN, port };
    const udp = {
      sourcePort,
      destinationPort,
      checksummed: true,
      payload: Uint8Array.of(1, 2, 3),
    };
    const frame = buildUdp(ethernetToUs(0x0800), ipv4!, udp);
    return receiveOne(makeUdpEcho(options), frame).verdict;
  };
  assert.equal(verdict(1024), "reply");
  assert.equal(verdict(53), "reply");
  assert.equal(verdict(1024, 8), "drop:not-mine");
  assert.equal(verdict(1024, 7, 9999), "drop:not-mine");
  assert.equal(verdict(1024, 9999, 9999), "reply");
  assert.equal(verdict(0), "drop:no-source-port");
  for (const port of [7, 9, 13, 17, 19, 37]) {
    assert.equal(verdict(port), "drop:echo-loop", String(port));
  }
  assert.equal(verdict(9999, 9999, 9999), "drop:echo-loop");
});
