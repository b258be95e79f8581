import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import {
  EXTENT_BYTES,
  frameOffset,
  makePacketMemory,
} from "../../../caps/memory/memory.ts";
import { GSO_NONE } from "../../../caps/port/offload.ts";
import { Checksums } from "../../../drivers/segment/checksum.ts";
import { gsoKindOf, Segmenter } from "../../../drivers/segment/segmenter.ts";
import { Transport } from "../../../drivers/segment/transport.ts";
import {
  buildSuperPacket,
  checksumField,
  checksumIsBegun,
  checksumIsRight,
  kindOf,
  segmentsOf,
  superPacketParts,
} from "../../arbitraries/super_packets.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;
const memory = makePacketMemory(16, 1);
const checksums = new Checksums(memory);
/** Where super-packets lie that are not in packet memory themselves. */
const elsewhere = makePacketMemory(16, 1);
const EXTENT = frameOffset(16);
const packet = new Transport();

/** Up to the longest IP packet, short ones more often. */
const anyParts = fc.oneof(
  superPacketParts(200),
  superPacketParts(65535 - 20 - 8 - 60 - 16),
);

/** Puts a packet into packet memory, or another one, at any place; returns where. */
function place(frame: Uint8Array, within: number, into = memory): number {
  const room = EXTENT_BYTES - frame.length;
  const at = EXTENT + within % (room + 1);
  into.bytes.set(frame, at);
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
  "segments are the packet's payload in order, each with right lengths and checksums, wherever the packet lies",
  { runs: 200, file },
  fc.property(
    anyParts,
    fc.integer({ min: 1, max: 3000 }),
    fc.nat(300),
    fc.boolean(),
    fc.constantFrom(memory, elsewhere),
    (parts, wanted, within, partial, source) => {
      const size = Math.max(wanted, Math.ceil(parts.payloadBytes / 300));
      const built = buildSuperPacket(parts);
      const at = place(built.frame, within, source);
      ok(packet.find(source.bytes, at, built.frame.length));
      const segmenter = source === memory && !partial
        ? new Segmenter(memory)
        : new Segmenter(memory, { source, partial });
      const expected = segmentsOf(parts, size);
      equal(segmenter.count(packet, size), expected.length);
      const isRight = partial ? checksumIsBegun : checksumIsRight;
      for (const [i, one] of expected.entries()) {
        const target = frameOffset(0) + (i * 37) % 900;
        const length = segmenter.write(packet, size, i, target);
        const segment = memory.bytes.slice(target, target + length);
        ok(isRight(one, segment), `segment ${i}`);
        const field = checksumField(one);
        one.frame.set(segment.subarray(field, field + 2), field);
        deepEqual(segment, one.frame);
      }
    },
  ),
);

testProperty(
  "a packet is a super-packet from one byte more than a segment on, where segments have a size",
  { runs: 100, file },
  fc.property(superPacketParts(300), (parts) => {
    const built = buildSuperPacket(parts);
    const at = place(built.frame, 0);
    ok(packet.find(memory.bytes, at, built.frame.length));
    const { payloadBytes } = parts;
    for (const size of [payloadBytes, payloadBytes + 1, 0xffff, 0]) {
      equal(gsoKindOf(packet, size), GSO_NONE);
    }
    for (const size of [1, payloadBytes - 1]) {
      if (size <= 0 || size >= payloadBytes) continue;
      equal(gsoKindOf(packet, size), kindOf(parts));
    }
  }),
);
