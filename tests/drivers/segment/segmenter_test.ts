import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import {
  EXTENT_BYTES,
  frameOffset,
  makePacketMemory,
} from "../../../caps/memory/memory.ts";
import {
  GSO_NONE,
  GSO_TCP4,
  GSO_TCP6,
  GSO_UDP,
} from "../../../caps/port/offload.ts";
import { Checksums } from "../../../drivers/segment/checksum.ts";
import { gsoKindOf, Segmenter } from "../../../drivers/segment/segmenter.ts";
import { Transport } from "../../../drivers/segment/transport.ts";
import {
  buildSuperPacket,
  checksumField,
  checksumIsRight,
  segmentsOf,
  type SuperPacketParts,
  superPacketParts,
} from "../../arbitraries/super_packets.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;
const memory = makePacketMemory(16, 1);
const checksums = new Checksums(memory);
const segmenter = new Segmenter(memory);
const EXTENT = frameOffset(16);
const packet = new Transport();

/** Up to the longest IP packet, short ones more often. */
const anyParts = fc.oneof(
  superPacketParts(200),
  superPacketParts(65535 - 20 - 8 - 60 - 16),
);

/** Puts a packet into packet memory, at any place; returns where. */
function place(frame: Uint8Array, within: number): number {
  const room = EXTENT_BYTES - frame.length;
  const at = EXTENT + within % (room + 1);
  memory.bytes.set(frame, at);
  return at;
}

testProperty(
  "a completed checksum is right, wherever the packet lies, and changes nothing else",
  { runs: 300, file },
  fc.property(anyParts, fc.nat(5000), fc.nat(30), (parts, within, padding) => {
    const built = buildSuperPacket(parts);
    const { frame } = built;
    const padded = new Uint8Array(frame.length + padding).fill(0xee);
    padded.set(frame);
    const at = place(padded, within);
    ok(packet.find(memory.bytes, at, padded.length));
    deepEqual(
      [packet.network, packet.transport, packet.payload, packet.end]
        .map((offset) => offset - at),
      [built.network, built.transport, built.payload, frame.length],
    );
    checksums.complete(packet);
    const got = memory.bytes.slice(at, at + padded.length);
    ok(checksumIsRight(built, got.slice(0, frame.length)));
    const field = built.transport + (parts.protocol === 6 ? 16 : 6);
    padded.set(got.subarray(field, field + 2), field);
    deepEqual(got, padded);
  }),
);

testProperty(
  "a checksum that comes out as 0 is 65,535 for UDP, where 0 says that there is none",
  { runs: 100, file },
  fc.property(superPacketParts(200), (drawn) => {
    const payloadBytes = drawn.payloadBytes + 2;
    const built = buildSuperPacket({ ...drawn, payloadBytes });
    const { frame, payload } = built;
    const field = checksumField(built);
    frame.fill(0, payload, payload + 2);
    const complete = () => {
      memory.bytes.set(frame, EXTENT);
      ok(packet.find(memory.bytes, EXTENT, frame.length));
      checksums.complete(packet);
      return memory.bytes.slice(EXTENT + field, EXTENT + field + 2);
    };
    // With its own checksum in front of the payload, everything sums up to it.
    frame.set(complete(), payload);
    const isUdp = drawn.protocol === 17;
    deepEqual([...complete()], isUdp ? [255, 255] : [0, 0]);
  }),
);

testProperty(
  "segments are the packet's payload in order, each with right lengths and checksums",
  { runs: 200, file },
  fc.property(
    anyParts,
    fc.integer({ min: 1, max: 3000 }),
    fc.nat(300),
    (parts, wanted, within) => {
      const size = Math.max(wanted, Math.ceil(parts.payloadBytes / 300));
      const built = buildSuperPacket(parts);
      const at = place(built.frame, within);
      ok(packet.find(memory.bytes, at, built.frame.length));
      const isSuper = parts.payloadBytes > size;
      equal(gsoKindOf(packet, size), isSuper ? kindOf(parts) : GSO_NONE);
      if (!isSuper) return;
      const expected = segmentsOf(parts, size);
      equal(segmenter.count(packet, size), expected.length);
      for (const [i, one] of expected.entries()) {
        const target = frameOffset(0) + (i * 37) % 900;
        const length = segmenter.write(packet, size, i, target);
        const segment = memory.bytes.slice(target, target + length);
        ok(checksumIsRight(one, segment), `segment ${i}`);
        const field = checksumField(one);
        one.frame.set(segment.subarray(field, field + 2), field);
        deepEqual(segment, one.frame);
      }
    },
  ),
);

function kindOf({ version, protocol }: SuperPacketParts): number {
  if (protocol === 17) return GSO_UDP;
  return version === 4 ? GSO_TCP4 : GSO_TCP6;
}

testProperty(
  "no bytes make the search for headers fail or leave the frame",
  { runs: 500, file },
  fc.property(
    superPacketParts(80),
    fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 6 }),
    fc.nat(200),
    (parts, changes, cut) => {
      const { frame } = buildSuperPacket(parts);
      for (const [at, value] of changes) {
        if (at < frame.length) frame[at] = value;
      }
      const length = Math.max(0, frame.length - cut);
      memory.bytes.set(frame, EXTENT);
      const found = packet.find(memory.bytes, EXTENT, length);
      if (!found) return;
      const { network, transport, payload, end } = packet;
      ok(EXTENT + 14 <= network && network + 20 <= transport);
      ok(transport + 8 <= payload && payload <= end && end <= EXTENT + length);
    },
  ),
);

Deno.test("fragments, and packets with a routing header, are left alone", () => {
  const parts = {
    tags: 0,
    networkOptions: 1,
    transportOptions: 0,
    payloadBytes: 64,
    flags: 0x10,
    sequence: 1,
    identification: 1,
    seed: 1,
    protocol: 17,
  } as const;
  const first = buildSuperPacket({ ...parts, version: 4 });
  first.frame[first.network + 6] = 0x20; // more fragments
  const later = buildSuperPacket({ ...parts, version: 4 });
  later.frame[later.network + 7] = 1; // an offset
  const routed = buildSuperPacket({ ...parts, version: 6 });
  routed.frame[routed.network + 6] = 43;
  for (const { frame } of [first, later, routed]) {
    const at = place(frame, 0);
    equal(packet.find(memory.bytes, at, frame.length), false);
  }
});
