import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { frameOffset, makePacketMemory } from "../../../caps/memory/memory.ts";
import {
  CHECKSUM_COMPLETE,
  CHECKSUM_PARTIAL,
  GSO_NONE,
  GSO_TCP4,
  GSO_TCP6,
  GSO_UDP,
  offloadWord,
} from "../../../caps/port/offload.ts";
import { Checksums } from "../../../drivers/segment/checksum.ts";
import { gsoKindOf } from "../../../drivers/segment/segmenter.ts";
import { Transport } from "../../../drivers/segment/transport.ts";
import {
  UNREADABLE,
  VIRTIO_HEADER_BYTES,
  VirtioHeaders,
  virtioHeaderSays,
} from "../../../drivers/segment/virtio_header.ts";
import {
  buildSuperPacket,
  checksumField,
  checksumIsBegun,
  checksumIsRight,
  type SuperPacketParts,
  superPacketParts,
} from "../../arbitraries/super_packets.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;
const memory = makePacketMemory(16, 1);
const headers = new VirtioHeaders(memory);
const checksums = new Checksums(memory);
const AT = frameOffset(16);
const ASIDE = frameOffset(0);

/** The fields of `struct virtio_net_hdr` (linux/virtio_net.h), in their order. */
function fieldsOf(header: Uint8Array): number[] {
  const view = new DataView(header.buffer, header.byteOffset, 10);
  const sizes = [2, 4, 6, 8].map((at) => view.getUint16(at, true));
  return [view.getUint8(0), view.getUint8(1), ...sizes];
}

function headerOf(flags: number, type: number, sizes: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(VIRTIO_HEADER_BYTES));
  view.setUint8(0, flags);
  view.setUint8(1, type);
  for (const [i, size] of sizes.entries()) {
    view.setUint16(2 + 2 * i, size, true);
  }
  return new Uint8Array(view.buffer);
}

/** The gso type of a super-packet: VIRTIO_NET_HDR_GSO_TCPV4, …_TCPV6, …_UDP_L4. */
function typeOf({ version, protocol }: SuperPacketParts): number {
  return protocol === 17 ? 5 : version === 4 ? 1 : 4;
}

testProperty(
  "a header says what its packet is, and the same when it is read",
  { runs: 300, file },
  fc.property(
    superPacketParts(20000),
    fc.integer({ min: 0, max: 3000 }),
    fc.constantFrom(0, 14),
    (parts, segmentBytes, base) => {
      const built = buildSuperPacket(parts);
      const { frame, transport, payload } = built;
      memory.bytes.set(frame, AT);
      const packet = new Transport();
      ok(packet.find(memory.bytes, AT, frame.length));
      const gso = gsoKindOf(packet, segmentBytes);
      const isSuper = gso !== GSO_NONE;
      const size = isSuper ? segmentBytes : 0;
      const word = offloadWord(CHECKSUM_PARTIAL, gso, size);
      const header = new Uint8Array(VIRTIO_HEADER_BYTES + 4).fill(0xee);
      headers.write(word, header, 2, AT, frame.length, AT + base);
      deepEqual([...header.subarray(0, 2)], [0xee, 0xee]);
      deepEqual([...header.subarray(12)], [0xee, 0xee]);
      const isReduced = isSuper && parts.protocol === 6 &&
        (parts.flags & 0x80) !== 0;
      deepEqual(fieldsOf(header.subarray(2, 12)), [
        1,
        (isSuper ? typeOf(parts) : 0) | (isReduced ? 0x80 : 0),
        isSuper ? payload - base : 0,
        size,
        transport - base,
        checksumField(built) - transport,
      ]);
      ok(checksumIsBegun(built, memory.bytes.slice(AT, AT + frame.length)));
      equal(headers.read(header, 2, AT, frame.length, AT + base), word);
    },
  ),
);

testProperty(
  "where nothing is asked, or nothing can be done, the header says that the frame is as it is",
  { runs: 100, file },
  fc.property(superPacketParts(200), fc.boolean(), (parts, isWhole) => {
    const { frame } = buildSuperPacket(parts);
    const length = isWhole ? frame.length : frame.length - 1;
    memory.bytes.set(frame, AT);
    const header = new Uint8Array(VIRTIO_HEADER_BYTES + 4).fill(0xee);
    const word = isWhole ? 0 : offloadWord(CHECKSUM_PARTIAL, 0, 0);
    headers.write(word, header, 2, AT, length);
    deepEqual([...header.subarray(0, 2)], [0xee, 0xee]);
    ok(header.subarray(2, 12).every((byte) => byte === 0));
    deepEqual([...header.subarray(12)], [0xee, 0xee]);
    deepEqual(memory.bytes.slice(AT, AT + frame.length), frame);
  }),
);

/** What a header says of sizes, counted from what would be right, or from 0 on. */
const claims = fc.record({
  flags: fc.nat(3),
  type: fc.constantFrom(0, 0, 0x80, 1, 4, 5, 0x81, 0x84, 2, 3),
  segment: fc.oneof(
    fc.constantFrom("payload" as const, "zero" as const),
    fc.integer({ min: -2, max: 2 }),
  ),
  start: fc.constantFrom(0, 0, -1, 1),
  offset: fc.oneof(
    fc.constantFrom("own" as const, "own" as const),
    fc.nat(20),
    fc.integer({ min: -3, max: 1 }).map((behind) => ({ behind })),
  ),
  base: fc.constantFrom(0, 14),
  isWhole: fc.boolean(),
});

testProperty(
  "a header is believed only where it agrees with the packet, and what it says of another checksum is done",
  { runs: 1500, file },
  fc.property(superPacketParts(60), claims, (parts, claim) => {
    const built = buildSuperPacket(parts);
    const { frame, transport } = built;
    const length = frame.length - (claim.isWhole ? 0 : 1);
    const { segment, offset } = claim;
    const segmentBytes = segment === "payload"
      ? parts.payloadBytes
      : segment === "zero"
      ? 0
      : Math.max(0, parts.payloadBytes + segment);
    const from = transport + claim.start;
    const own = checksumField(built);
    const to = offset === "own"
      ? own
      : typeof offset === "number"
      ? from + offset
      : Math.max(from, length + offset.behind);
    const header = headerOf(claim.flags, claim.type, [
      ...[0, segmentBytes, from - claim.base, to - from],
    ]);
    memory.bytes.set(frame, AT);
    const partial = (claim.flags & 1) !== 0;
    const type = claim.type & 0x7f;
    let expected = UNREADABLE;
    let after = frame;
    if (type !== 0) {
      const state = partial ? CHECKSUM_PARTIAL : CHECKSUM_COMPLETE;
      const known = claim.isWhole && segmentBytes > 0;
      if (known && parts.payloadBytes <= segmentBytes) {
        expected = offloadWord(state, GSO_NONE, 0);
      } else if (known && type === typeOf(parts)) {
        const gso = { 1: GSO_TCP4, 4: GSO_TCP6, 5: GSO_UDP }[type]!;
        expected = offloadWord(state, gso, segmentBytes);
      }
    } else if (!partial) expected = 0;
    else if (claim.isWhole && from === transport && to === own) {
      expected = offloadWord(CHECKSUM_PARTIAL, GSO_NONE, 0);
    } else if (to + 2 <= length) {
      expected = 0;
      memory.bytes.set(frame, ASIDE);
      checksums.completeFrom(ASIDE + from, ASIDE + length, ASIDE + to);
      after = memory.bytes.slice(ASIDE, ASIDE + frame.length);
    }
    const base = AT + claim.base;
    equal(headers.read(header, 0, AT, length, base), expected);
    equal(virtioHeaderSays(header, 0), partial || claim.type !== 0);
    deepEqual(memory.bytes.slice(AT, AT + frame.length), after);
  }),
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
