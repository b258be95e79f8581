/** How a packet comes to its holder. */

import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { takeAll } from "../../../caps/port/port.ts";
import {
  CHECKSUM_MAY_BE_PARTIAL,
  CHECKSUM_PARTIAL,
} from "../../../caps/port/offload.ts";
import { INLINE_BYTES_MAX, RecordView } from "../../../caps/port/records.ts";
import { witness } from "../../arbitraries/witness.ts";
import { testProperty } from "../../property.ts";
import { discard, echo } from "./plans.ts";
import { packetsOf, Rig } from "./rig.ts";

const file = import.meta.url;
const request = witness(echo.receives[0]!);

function packetOf(length: number): Uint8Array {
  const packet = Uint8Array.from({ length }, (_, i) => i * 7);
  packet.set(request);
  return packet;
}

testProperty(
  "a packet comes whole, of whatever length and however it comes",
  { runs: 100, file },
  fc.property(
    fc.integer({ min: request.length, max: 1514 }),
    fc.constantFrom(0, 256, 4096),
    (length, copyBytesMax) => {
      using rig = new Rig([{ ...echo, copyBytesMax }]);
      const sent = packetOf(length);
      rig.far.send(sent, 0, length);
      rig.turn();
      const [packet] = packetsOf(rig.holders[0]!.port.take()!);
      deepEqual(packet!.bytes, sent);
    },
  ),
);

Deno.test("a packet of as many bytes as are copied is copied, and one byte more comes in a page", () => {
  using rig = new Rig([{ ...echo, copyBytesMax: 200 }]);
  for (const length of [199, 200, 201]) {
    rig.far.send(packetOf(length), 0, length);
    rig.turn();
  }
  const inline = [...takeAll(rig.holders[0]!.port)].flatMap(packetsOf)
    .map((packet) => packet.inline);
  deepEqual(inline, [true, true, false]);
  equal(rig.account(1)!.heldPages, 1);
});

Deno.test("what no byte string holds comes in an extent, however much is to be copied", () => {
  const plan = { ...echo, copyBytesMax: 1e6, quotaPages: 64 };
  const likeness = { extents: 8, superPackets: true };
  using rig = new Rig([plan], 64, 1, likeness);
  for (const length of [INLINE_BYTES_MAX, INLINE_BYTES_MAX + 1]) {
    rig.far.send(packetOf(length), 0, length);
    rig.turn();
  }
  const packets = [...takeAll(rig.holders[0]!.port)].flatMap(packetsOf);
  deepEqual(packets.map(({ inline }) => inline), [true, false]);
  deepEqual(packets[0]!.bytes, packetOf(INLINE_BYTES_MAX));
  deepEqual(packets[1]!.bytes, packetOf(INLINE_BYTES_MAX + 1));
});

Deno.test("nobody's packets are counted, and their frames are the NIC's again", () => {
  using rig = new Rig([echo, discard]);
  const nobody = new Uint8Array(60);
  for (let i = 0; i < 100; i++) {
    rig.far.send(nobody, 0, nobody.length);
    rig.turn();
  }
  const { unclaimedPackets, receivedPackets, pages } = rig.service.counts();
  deepEqual([unclaimedPackets, receivedPackets], [100, 100]);
  equal(pages.free, pages.total);
});

Deno.test("a packet comes with its NIC's word of its checksum, and where there is none with what may be of that NIC's", () => {
  for (const partialChecksums of [false, true]) {
    for (const copyBytesMax of [0, 4096]) {
      for (const word of [0, CHECKSUM_PARTIAL]) {
        const likeness = { partialChecksums, wordOf: () => word };
        using rig = new Rig([{ ...echo, copyBytesMax }], 64, 1, likeness);
        rig.far.send(request, 0, request.length);
        rig.turn();
        const { records } = rig.holders[0]!.port.take()!;
        const may = partialChecksums ? CHECKSUM_MAY_BE_PARTIAL : 0;
        equal(new RecordView(records).offload(0), word || may);
      }
    }
  }
});

Deno.test("what arrives is counted, in packets and bytes, and a turn that took some says so", () => {
  using rig = new Rig([{ ...echo, copyBytesMax: 4096 }]);
  equal(rig.service.turn(), 0);
  const lengths = [60, 61, 1514];
  for (const length of lengths) rig.far.send(packetOf(length), 0, length);
  ok(rig.service.turn() >= lengths.length);
  const { receivedPackets, receivedBytes } = rig.service.counts();
  deepEqual([receivedPackets, receivedBytes], [3, 60 + 61 + 1514]);
});
