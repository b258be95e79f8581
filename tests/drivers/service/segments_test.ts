/** What a holder asks of checksums and segments, where the NIC does nothing of it itself. */

import type { Counts } from "../../../caps/driver/accounts.ts";
import { given } from "../../../caps/kernel/given.ts";
import { BURST_MS, type RateLimit } from "../../../caps/kernel/rate_limit.ts";
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import {
  EXTENT_PAGES,
  HEADROOM_BYTES,
  PAGE_BYTES,
} from "../../../caps/memory/memory.ts";
import {
  CHECKSUM_COMPLETE,
  CHECKSUM_PARTIAL,
  GSO_NONE,
  GSO_TCP4,
  GSO_TCP6,
  GSO_UDP,
  OFFLOAD_CHECKSUM,
  offloadsGso,
  offloadWord,
} from "../../../caps/port/offload.ts";
import { RecordView, STRING_BYTES } from "../../../caps/port/records.ts";
import {
  buildSuperPacket,
  checksumIsRight,
  kindOf,
  type SuperPacketParts,
  superPacketParts,
} from "../../arbitraries/super_packets.ts";
import { segmentingOf } from "../../oracles/segmenting.ts";
import { testProperty } from "../../property.ts";
import type { Likeness } from "../../model/stalling_driver.ts";
import { Rig, SUPER_BYTES_MAX } from "./rig.ts";

const file = import.meta.url;
const WIRE_BYTES = 1514;

/** A rig whose one holder may send everything, with so many pages; its wire takes frames of {@link WIRE_BYTES} by default. */
function rigOf(
  quotaPages: number,
  likeness: Likeness = {},
  limit?: RateLimit,
): Rig {
  const plan = {
    ...{ receives: [{}], sends: [{}], quotaPages, copyBytesMax: 2048 },
    ...given({ limit }),
  };
  const { wireBytesMax = WIRE_BYTES, offloads = 0 } = likeness;
  const frameBytesMax = offloads > 0 ? SUPER_BYTES_MAX : wireBytesMax + 8; // for two tags
  const wire = { frameBytesMax, wireBytesMax, offloads };
  return new Rig([plan], 420, 1, { extents: 2, ...wire });
}

/** Sends a frame inline with a wish; what came out. */
function send(rig: Rig, frame: Uint8Array, offload: number): Uint8Array[] {
  const view = new RecordView(new ArrayBuffer(STRING_BYTES));
  view.putInline(0, frame.length);
  view.bytes.set(frame, view.start(0));
  view.setOffload(0, offload);
  const { capability, port } = rig.holders[0]!;
  const records = view.bytes.buffer;
  port.post({ capabilities: [capability], records, count: 1, pages: [] }, [
    records,
  ]);
  rig.turn();
  return rig.sent();
}

function dropsOf(rig: Rig): Counts {
  return rig.service.counts().accounts[0]!.drops;
}

testProperty(
  "a super-packet leaves as segments that the wire takes, each with a right checksum, or not at all and counted",
  { runs: 150, file },
  fc.property(
    fc.oneof(superPacketParts(3000), superPacketParts(65000)),
    fc.integer({ min: 1, max: 3000 }),
    fc.constantFrom(CHECKSUM_COMPLETE, CHECKSUM_PARTIAL),
    (parts, wanted, checksum) => {
      using rig = rigOf(300);
      const built = buildSuperPacket(parts);
      if (built.frame.length > 65400) return;
      const word = offloadWord(checksum, 0, wanted);
      const sent = send(rig, built.frame, word);
      const headers = built.payload;
      const sizes = { wire: WIRE_BYTES, headers, wanted };
      const verdict = segmentingOf(parts, sizes);
      if (typeof verdict === "string") {
        deepEqual([sent.length, dropsOf(rig)], [0, { [verdict]: 1 }]);
        return;
      }
      equal(sent.length, verdict.count, JSON.stringify(dropsOf(rig)));
      const payload = built.frame.subarray(built.payload);
      let at = 0;
      for (const segment of sent) {
        ok(segment.length <= WIRE_BYTES + 4 * parts.tags);
        ok(checksumIsRight(built, segment));
        const part = segment.subarray(built.payload);
        deepEqual(part, payload.slice(at, at + verdict.size));
        at += part.length;
      }
      equal(at, payload.length);
      const { lent, inFlight, free, total } = rig.service.counts().pages;
      deepEqual([lent, inFlight, free], [0, 0, total]);
    },
  ),
);

testProperty(
  "a rate limit holds for all that a wire gets of super-packets, and lets them through where it has room",
  { runs: 60, file },
  fc.property(
    fc.oneof(
      fc.record({ packetsPerSecond: fc.integer({ min: 10, max: 5000 }) }),
      fc.record({ bytesPerSecond: fc.integer({ min: 10_000, max: 10 ** 6 }) }),
    ),
    superPacketParts(20_000),
    fc.integer({ min: 1, max: 1300 }),
    fc.array(fc.nat(200), { minLength: 1, maxLength: 12 }),
    (limit, parts, wanted, pausesMs) => {
      using rig = rigOf(300, {}, limit);
      const { frame, payload: headers } = buildSuperPacket(parts);
      const sizes = { wire: WIRE_BYTES, headers, wanted };
      const verdict = segmentingOf(parts, sizes);
      if (typeof verdict === "string") return;
      const { packetsPerSecond = Infinity, bytesPerSecond = Infinity } =
        limit as RateLimit;
      let sent: Uint8Array[] = [];
      for (const [n, pauseMs] of pausesMs.entries()) {
        rig.nowMs += pauseMs;
        const word = offloadWord(CHECKSUM_PARTIAL, 0, wanted);
        sent = [...sent, ...send(rig, frame, word)];
        if (n === 0) equal(sent.length, verdict.count);
      }
      const seconds = (rig.nowMs - pausesMs[0]! + BURST_MS) / 1000;
      const bytes = sent.reduce((sum, { length }) => sum + length, 0);
      // The last one may have begun with the last that there was.
      const onePackets = verdict.count;
      const oneBytes = parts.payloadBytes + onePackets * headers;
      const largestBytes = WIRE_BYTES + 8;
      ok(sent.length <= packetsPerSecond * seconds + 1 + onePackets);
      ok(bytes <= bytesPerSecond * seconds + largestBytes + oneBytes);
    },
  ),
);

const ALL_OFFLOADS = OFFLOAD_CHECKSUM | offloadsGso(GSO_TCP4) |
  offloadsGso(GSO_TCP6) | offloadsGso(GSO_UDP);

/** The most datagrams that a kernel makes of one packet. */
const UDP_SEGMENTS_MAX = 128;

testProperty(
  "a NIC that makes segments itself gets the packet as it is, and what its sender asked for, whatever a page holds",
  { runs: 150, file },
  fc.property(
    fc.oneof(superPacketParts(3000), superPacketParts(65_300)),
    fc.integer({ min: 1, max: 10_000 }),
    (parts, wanted) => {
      using rig = rigOf(300, { wireBytesMax: 9014, offloads: ALL_OFFLOADS });
      const { frame, payload } = buildSuperPacket(parts);
      const sent = send(rig, frame, offloadWord(CHECKSUM_PARTIAL, 0, wanted));
      const sizes = { wire: 9014, headers: payload, wanted };
      const verdict = segmentingOf(parts, sizes);
      if (typeof verdict === "string") {
        deepEqual([sent.length, dropsOf(rig)], [0, { [verdict]: 1 }]);
        return;
      }
      const { size, count } = verdict;
      if (parts.protocol === 17 && count > UDP_SEGMENTS_MAX) {
        // More than the far end has room for.
        equal(rig.service.counts().accounts[0]!.sentPackets, count);
        ok(rig.driver.sentWords.every((word) => word === 0));
        return;
      }
      deepEqual(sent, [frame]);
      const kind = count === 1 ? GSO_NONE : kindOf(parts);
      const word = offloadWord(CHECKSUM_PARTIAL, kind, count === 1 ? 0 : size);
      deepEqual(rig.driver.sentWords, [word]);
    },
  ),
);

const STREAM: SuperPacketParts = {
  version: 4,
  protocol: 6,
  tags: 0,
  networkOptions: 0,
  transportOptions: 3,
  payloadBytes: 40_000,
  flags: 0x18,
  sequence: 7,
  identification: 7,
  seed: 7,
};

Deno.test("as many datagrams as a kernel makes of one packet are its work, and one more is the driver's", () => {
  const word = offloadWord(CHECKSUM_PARTIAL, 0, 100);
  for (const count of [UDP_SEGMENTS_MAX, UDP_SEGMENTS_MAX + 1]) {
    using rig = rigOf(300, { wireBytesMax: 9014, offloads: ALL_OFFLOADS });
    const payloadBytes = count * 100;
    const { frame } = buildSuperPacket({
      ...STREAM,
      protocol: 17,
      transportOptions: 0,
      payloadBytes,
    });
    send(rig, frame, word);
    equal(
      rig.service.counts().accounts[0]!.sentPackets,
      count > UDP_SEGMENTS_MAX ? count : 1,
    );
    const whole = rig.driver.sentWords.filter((one) => one !== 0).length;
    equal(whole, count > UDP_SEGMENTS_MAX ? 0 : 1);
  }
});

Deno.test("segments cost their sender's quota, and what is beyond it is dropped and counted", () => {
  using rig = rigOf(20);
  rig.driver.stalled = true;
  const word = offloadWord(CHECKSUM_PARTIAL, 0, 1000);
  const { frame } = buildSuperPacket(STREAM);
  equal(send(rig, frame, word).length, 20);
  deepEqual(dropsOf(rig), { "send-no-page": 20 });
  equal(rig.service.counts().accounts[0]!.heldPages, 20);
  rig.driver.stalled = false;
  rig.turn();
  equal(rig.service.counts().accounts[0]!.heldPages, 0);
});

Deno.test("what is sent without a page takes one page, or an extent from one byte more on", () => {
  using rig = rigOf(EXTENT_PAGES - 1);
  const room = PAGE_BYTES - HEADROOM_BYTES;
  const headersBytes = buildSuperPacket(STREAM).frame.length -
    STREAM.payloadBytes;
  const word = offloadWord(CHECKSUM_PARTIAL, 0, 1000);
  const sized = (sizeBytes: number) => {
    const payloadBytes = sizeBytes - headersBytes;
    return buildSuperPacket({ ...STREAM, payloadBytes }).frame;
  };
  equal(send(rig, sized(room), word).length, 4);
  deepEqual(dropsOf(rig), {});
  equal(send(rig, sized(room + 1), word).length, 0);
  deepEqual(dropsOf(rig), { "send-no-page": 1 });
});

Deno.test("what is no whole TCP or UDP packet is not sent where work on its checksum is asked for", () => {
  using rig = rigOf(300);
  const fragment = buildSuperPacket({ ...STREAM, payloadBytes: 100 });
  fragment.frame[fragment.network + 6] = 0x20;
  const arp = new Uint8Array(60);
  arp.set([8, 6], 12);
  for (const frame of [fragment.frame, arp]) {
    deepEqual(send(rig, frame, offloadWord(CHECKSUM_PARTIAL, 0, 0)), []);
    equal(send(rig, frame, 0).length, 1, "as it is, it is sent");
  }
  deepEqual(dropsOf(rig), { "send-not-completable": 2 });
});

Deno.test("what is no super-packet and longer than the wire takes is dropped, whatever is to be done to it", () => {
  const parts = {
    version: 4,
    protocol: 17,
    tags: 0,
    networkOptions: 0,
    transportOptions: 0,
    flags: 0,
    sequence: 0,
    identification: 0,
    seed: 7,
  } as const;
  for (const offloads of [0, OFFLOAD_CHECKSUM]) {
    for (const segmentBytes of [0, 3000]) {
      using rig = rigOf(16, { offloads });
      const headersBytes = 14 + 20 + 8;
      const frameOf = (lengthBytes: number) =>
        buildSuperPacket({ ...parts, payloadBytes: lengthBytes - headersBytes })
          .frame;
      const wish = offloadWord(CHECKSUM_PARTIAL, GSO_NONE, segmentBytes);
      equal(send(rig, frameOf(WIRE_BYTES + 1), wish).length, 0);
      deepEqual(dropsOf(rig), { "send-too-large": 1 });
      const { pages } = rig.service.counts();
      equal(pages.free, pages.total);
      const [sent] = send(rig, frameOf(WIRE_BYTES), wish);
      equal(sent!.length, WIRE_BYTES);
    }
  }
});
