import assert from "node:assert/strict";
import fc from "fast-check";
import { describeFrame } from "../../../services/wire/describe.ts";
import {
  anyFrame,
  buildArp,
  buildIcmp,
  buildUdp,
  type FrameBytes,
} from "../../arbitraries/frames.ts";
import {
  arpRepr,
  bits,
  bytesUpTo,
  ethernetRepr,
  plainIpv4Repr,
} from "../../arbitraries/reprs.ts";
import { testWith } from "../../needs.ts";
import { testProperty } from "../../property.ts";
import { linesAbout } from "./capture_file.ts";

const file = import.meta.url;

/** An Ethernet header without tags: tcpdump shows those only with -e. */
function untagged(etherType: number) {
  return ethernetRepr(etherType).map((ethernet) => ({ ...ethernet, tags: [] }));
}

/** Ports behind which tcpdump looks for no other protocol. */
const quietPort = fc.integer({ min: 30001, max: 30400 });

function tcpdumpFrames(): fc.Arbitrary<FrameBytes> {
  const arp = fc.tuple(untagged(0x0806), arpRepr(), fc.constantFrom(1, 2))
    .map(([ethernet, arp, operation]) =>
      buildArp(ethernet, { ...arp, operation })
    );
  const echo = fc.tuple(
    untagged(0x0800),
    plainIpv4Repr(0, 1),
    fc.record({
      kind: fc.constantFrom("echo-request" as const, "echo-reply" as const),
      identifier: bits(16),
      sequence: bits(16),
      payload: bytesUpTo(64),
    }),
  ).map(([ethernet, ipv4, icmp]) => buildIcmp(ethernet, ipv4, icmp));
  const udp = fc.tuple(
    untagged(0x0800),
    plainIpv4Repr(0, 17),
    fc.record({
      sourcePort: quietPort,
      destinationPort: quietPort,
      checksummed: fc.boolean(),
      payload: bytesUpTo(64),
    }),
  ).map(([ethernet, ipv4, udp]) => buildUdp(ethernet, ipv4, udp));
  return fc.oneof(arp, echo, udp);
}

testWith(
  ["tool:tcpdump"],
  "describeFrame() says of ARP, ICMP echo and UDP what tcpdump says",
  () => {
    const frames = fc.sample(tcpdumpFrames(), 300);
    const expected = linesAbout(
      frames,
      (path) => ["tcpdump", "-nn", "-t", "-K", "-r", path],
    );
    const ours = frames.map((frame) => describeFrame(frame, 0, frame.length));
    assert.deepEqual(ours, expected);
  },
);

testProperty(
  "describeFrame() gives one line for any frame, and reads nothing around it",
  { runs: 1000, file },
  fc.property(anyFrame(), fc.nat({ max: 255 }), (frame, around) => {
    const line = describeFrame(frame, 0, frame.length);
    assert.match(line, /^[\x20-\x7e]{8,160}$/);
    const buffer = new Uint8Array(frame.length + 100).fill(around);
    buffer.set(frame, 50);
    assert.equal(describeFrame(buffer, 50, 50 + frame.length), line);
  }),
);

Deno.test("describeFrame() names VLANs, and what it does not know by number", () => {
  const frame = new Uint8Array(22);
  frame.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], 0);
  frame.set([0x81, 0, 0xb0, 5, 0x88, 0xcc, 1, 2, 3, 4], 12);
  assert.equal(
    describeFrame(frame, 0, 22),
    "vlan 5, p 5, DEI, 02:00:00:00:00:02 > 02:00:00:00:00:01, ethertype 0x88cc, length 4",
  );
  assert.equal(describeFrame(frame, 0, 13), "[|ether] 13 bytes");
});
