import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { frameOffset, makePacketMemory } from "../../../caps/memory/memory.ts";
import {
  CHECKSUM_PARTIAL,
  GSO_NONE,
  offloadWord,
} from "../../../caps/port/offload.ts";
import { gsoKindOf } from "../../../drivers/segment/segmenter.ts";
import { Transport } from "../../../drivers/segment/transport.ts";
import {
  UNREADABLE,
  VIRTIO_HEADER_BYTES,
  VirtioHeaders,
} from "../../../drivers/segment/virtio_header.ts";
import {
  buildSuperPacket,
  checksumIsRight,
  superPacketParts,
} from "../../arbitraries/super_packets.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;
const memory = makePacketMemory(16, 1);
const headers = new VirtioHeaders(memory);
const AT = frameOffset(16);

testProperty(
  "a header that was written says the same when it is read",
  { runs: 300, file },
  fc.property(
    superPacketParts(20000),
    fc.integer({ min: 0, max: 3000 }),
    fc.constantFrom(0, 14),
    (parts, segmentBytes, base) => {
      const { frame } = buildSuperPacket(parts);
      memory.bytes.set(frame, AT);
      const packet = new Transport();
      ok(packet.find(memory.bytes, AT, frame.length));
      const gso = gsoKindOf(packet, segmentBytes);
      const size = gso === GSO_NONE ? 0 : segmentBytes;
      const word = offloadWord(CHECKSUM_PARTIAL, gso, size);
      const header = new Uint8Array(VIRTIO_HEADER_BYTES + 4).fill(0xee);
      headers.write(word, header, 2, AT, frame.length, AT + base);
      deepEqual([...header.subarray(0, 2)], [0xee, 0xee]);
      deepEqual([...header.subarray(12)], [0xee, 0xee]);
      equal(headers.read(header, 2, AT, frame.length, AT + base), word);
      headers.write(0, header, 2, AT, frame.length);
      ok(header.subarray(2, 12).every((byte) => byte === 0));
    },
  ),
);

testProperty(
  "whatever a header says, nothing outside its frame is read or written",
  { runs: 500, file },
  fc.property(
    superPacketParts(300),
    fc.uint8Array({ minLength: 10, maxLength: 10 }),
    fc.nat(100),
    (parts, header, cut) => {
      const { frame } = buildSuperPacket(parts);
      const length = Math.max(1, frame.length - cut);
      memory.bytes.fill(0xa5, AT, AT + 70000);
      memory.bytes.set(frame.subarray(0, length), AT);
      const word = headers.read(header, 0, AT, length);
      ok(word >= UNREADABLE && word <= 0xffffffff);
      ok(
        memory.bytes.subarray(AT + length, AT + 70000)
          .every((byte) => byte === 0xa5),
      );
    },
  ),
);

Deno.test("a checksum that is not the outer packet's own is completed when it arrives", () => {
  const built = buildSuperPacket({
    version: 4,
    protocol: 17,
    tags: 0,
    networkOptions: 0,
    transportOptions: 0,
    payloadBytes: 101,
    flags: 0,
    sequence: 0,
    identification: 0,
    seed: 3,
  });
  const inner = built.payload + 20; // as a tunnel's would lie
  memory.bytes.set(built.frame, AT);
  memory.bytes.fill(0, AT + inner + 6, AT + inner + 8);
  const header = new Uint8Array(10);
  const view = new DataView(header.buffer);
  view.setUint8(0, 1);
  view.setUint16(6, inner, true);
  view.setUint16(8, 6, true);
  equal(headers.read(header, 0, AT, built.frame.length), 0);
  const bytes = memory.bytes.slice(AT + inner, AT + built.frame.length);
  const sum = bytes.reduce(
    (sum, byte, i) => sum + (i % 2 === 0 ? byte << 8 : byte),
    0,
  );
  equal(sum % 0xffff, 0, "all of it adds up to the ones' complement's 0");
  ok(!checksumIsRight(built, memory.bytes.slice(AT, AT + built.frame.length)));
  view.setUint16(6, 65000, true);
  equal(headers.read(header, 0, AT, built.frame.length), UNREADABLE);
});

Deno.test("where that comes out as 0 it is written as 65,535", () => {
  const inner = AT + 40;
  const header = new Uint8Array(10);
  const view = new DataView(header.buffer);
  view.setUint8(0, 1);
  view.setUint16(6, inner - AT, true);
  view.setUint16(8, 6, true);
  memory.bytes.fill(0, AT, AT + 60);
  memory.bytes.set([0xff, 0xff], inner);
  equal(headers.read(header, 0, AT, 60), 0);
  deepEqual([...memory.bytes.subarray(inner + 6, inner + 8)], [255, 255]);
});
