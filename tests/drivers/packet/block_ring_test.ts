import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { makePacketMemory, privateBatch } from "../../../caps/memory/memory.ts";
import {
  CHECKSUM_COMPLETE,
  CHECKSUM_PARTIAL,
} from "../../../caps/port/offload.ts";
import { ArrivalTimes } from "../../../caps/memory/arrival_time.ts";
import { FrameRing } from "../../../drivers/kit/frame_ring.ts";
import { BlockRing } from "../../../drivers/packet/block_ring.ts";
import { SEGMENTS_MAX } from "../../../drivers/packet/segments.ts";
import {
  buildSuperPacket,
  checksumField,
  checksumIsBegun,
  segmentsOf,
  type SuperPacket,
  type SuperPacketParts,
  superPacketParts,
} from "../../arbitraries/super_packets.ts";
import { testProperty } from "../../property.ts";
import { ReceiveRing, type RingPacket } from "./receive_ring.ts";

const FRAME_BYTES_MAX = 1514;
const FRAMES = 64;
const memory = makePacketMemory(FRAMES);

const LIES = ["size 0", "other protocol", "UFO", "checksum outside", "cut"];

/** A packet of the wire or a super-packet, and what its kernel says of it, which may be untrue. */
const anyArrival = fc.record({
  parts: fc.oneof(
    superPacketParts(1400),
    superPacketParts(8000),
    superPacketParts(65535 - 20 - 8 - 60 - 16),
  ),
  /** 0 is said of a packet that is as it is on a wire. */
  segmentBytes: fc.oneof(
    fc.constant(0),
    fc.integer({ min: 1, max: 1600 }),
    fc.integer({ min: 900, max: 1448 }),
  ),
  partial: fc.boolean(),
  tag: fc.option(fc.tuple(fc.constantFrom(0x8100, 0x88a8), fc.nat(0xffff)), {
    nil: undefined,
  }),
  lie: fc.oneof(
    { weight: 6, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...LIES) },
  ),
});
type Arrival = typeof anyArrival extends fc.Arbitrary<infer T> ? T : never;

/** Often one whose frame, or segments, are as long as may be, or nearly. */
const arrival = fc.tuple(
  anyArrival,
  fc.option(fc.integer({ min: -5, max: 2 }), { freq: 2 }),
).map(([one, edge]) => edge === null ? one : stretched(one, edge));

function stretched(one: Arrival, edge: number): Arrival {
  const { parts, segmentBytes } = one;
  const { payload } = buildSuperPacket({ ...parts, payloadBytes: 0 });
  const longest = FRAME_BYTES_MAX + 4 * parts.tags + edge - payload;
  return segmentBytes === 0
    ? { ...one, parts: { ...parts, payloadBytes: longest } }
    : { ...one, segmentBytes: longest };
}

/** The kernel's `virtio_net_hdr_from_skb`. */
function headerOf({ parts, segmentBytes, partial, lie }: Arrival): Uint8Array {
  const bytes = new Uint8Array(10);
  const view = new DataView(bytes.buffer);
  const built = buildSuperPacket({ ...parts, payloadBytes: 0 });
  if (partial) {
    bytes[0] = 1;
    view.setUint16(6, built.transport, true);
    view.setUint16(8, checksumField(built) - built.transport, true);
  } else bytes[0] = 2; // data is valid
  if (segmentBytes > 0) {
    const ecn = parts.protocol === 6 && (parts.flags & 0x80) !== 0 ? 0x80 : 0;
    bytes[1] = (parts.protocol === 17 ? 5 : parts.version === 4 ? 1 : 4) | ecn;
    view.setUint16(2, built.payload, true);
    view.setUint16(4, segmentBytes, true);
  }
  if (lie === "size 0") {
    bytes[1] = 1;
    view.setUint16(4, 0, true);
  } else if (lie === "other protocol" || lie === "UFO") {
    bytes[1] = lie === "UFO" ? 3 : parts.protocol === 17 ? 1 : 5;
    view.setUint16(4, 1, true);
  } else if (lie === "checksum outside") {
    bytes.set([1, 0]);
    view.setUint16(6, 65530, true);
    view.setUint16(8, 65530, true);
  }
  return bytes;
}

function ringPacket(one: Arrival): RingPacket {
  const { frame } = buildSuperPacket(one.parts);
  const cutBytes = one.lie === "cut" ? 1 : 0;
  return { frame, header: headerOf(one), tag: one.tag, cutBytes };
}

/** A frame that is to come out of the ring. */
interface Expected {
  readonly packet: SuperPacket;
  readonly tag: Arrival["tag"];
  readonly offload: number;
  readonly isSegment: boolean;
}

interface Outcome {
  readonly frames: Expected[];
  superPackets: number;
  tooLong: number;
  badHeader: number;
}

function predict(arrivals: readonly Arrival[]): Outcome {
  const outcome = { frames: [], superPackets: 0, tooLong: 0, badHeader: 0 };
  for (const one of arrivals) add(outcome, one);
  return outcome;
}

function add(outcome: Outcome, one: Arrival): void {
  const { parts, segmentBytes, partial, tag, lie } = one;
  if (lie === "cut") return void outcome.tooLong++;
  // A packet without payload is never longer than a segment: nothing is untrue.
  const isTrue = lie === undefined || isHarmless(lie, parts);
  if (!isTrue) return void outcome.badHeader++;
  const size = lie === undefined ? segmentBytes : 0;
  const isSuper = size > 0 && parts.payloadBytes > size;
  const packets = isSuper ? segmentsOf(parts, size) : [buildSuperPacket(parts)];
  if (packets.length > SEGMENTS_MAX) return void outcome.badHeader++;
  // Tags do not count, whether the kernel has taken one out or not.
  if (packets[0]!.frame.length > FRAME_BYTES_MAX + 4 * parts.tags) {
    return void outcome.tooLong++;
  }
  if (isSuper) outcome.superPackets++;
  const offload = partial || isSuper ? CHECKSUM_PARTIAL : CHECKSUM_COMPLETE;
  for (const packet of packets) {
    outcome.frames.push({ packet, tag, offload, isSegment: isSuper });
  }
}

function isHarmless(lie: string, { payloadBytes }: SuperPacketParts): boolean {
  return (lie === "other protocol" || lie === "UFO") && payloadBytes <= 1;
}

function check(expected: Expected, got: Uint8Array, offload: number): void {
  const { packet, tag, isSegment } = expected;
  let frame = got;
  if (tag !== undefined) {
    const view = new DataView(got.buffer, 12);
    deepEqual([view.getUint16(0), view.getUint16(2)], tag);
    frame = new Uint8Array([...got.subarray(0, 12), ...got.subarray(16)]);
  }
  if (isSegment) {
    ok(checksumIsBegun(packet, frame));
    const field = checksumField(packet);
    packet.frame.set(frame.subarray(field, field + 2), field);
  }
  deepEqual(frame, packet.frame);
  equal(offload, expected.offload);
}

testProperty(
  "a ring gives the frames that a wire would have carried, and a count for each header that lies",
  { runs: 250, file: import.meta.url },
  fc.property(
    fc.array(arrival, { maxLength: 6 }),
    fc.array(fc.integer({ min: 1, max: FRAMES }), { minLength: 1 }),
    (arrivals, steps) => {
      const from = new ReceiveRing(arrivals.map(ringPacket));
      const ring = new BlockRing({
        buffer: from.buffer,
        blockBytes: from.blockBytes,
        memory,
        link: { frameBytesMax: FRAME_BYTES_MAX },
      });
      const { frames, ...counts } = predict(arrivals);
      const free = new FrameRing(FRAMES);
      const batch = privateBatch();
      let seen = 0;
      let nextFrame = 0;
      for (let step = 0; ring.ready; step++) {
        // Sometimes frames are what is missing, sometimes room in the batch.
        const provided = steps[step % steps.length]!;
        while (free.size < provided) free.push(nextFrame++ % FRAMES);
        const max = steps[(step + 1) % steps.length]!;
        const before = free.size;
        const count = ring.take(batch, max, free);
        equal(before - free.size, count);
        ok(count === Math.min(max, before) || !ring.ready);
        for (let n = 0; n < count; n++) {
          const at = batch.offset[n]!;
          const got = memory.bytes.slice(at, at + batch.length[n]!);
          ok(seen < frames.length, "one more than there is");
          check(frames[seen++]!, got, batch.offload[n]!);
        }
      }
      equal(seen, frames.length);
      const { superPackets, tooLong, badHeader } = ring;
      deepEqual({ superPackets, tooLong, badHeader }, counts);
      equal(from.handedOver, 0);
    },
  ),
);

Deno.test("each frame, and each segment of a super-packet, has the time of its packet in front of it", () => {
  const parts = fc.sample(superPacketParts(4000), { numRuns: 1, seed: 3 })[0]!;
  const one = { parts, segmentBytes: 0, partial: false };
  const honest = { ...one, tag: undefined, lie: undefined };
  const whole = { ...honest, parts: { ...parts, payloadBytes: 100 } };
  const pieces = {
    ...honest,
    parts: { ...parts, payloadBytes: 3000 },
    segmentBytes: 1000,
  };
  const from = new ReceiveRing([
    { ...ringPacket(whole), time: [0xfffffffe, 999_999_999] },
    { ...ringPacket(pieces), time: [1_700_000_000, 5] },
  ]);
  const ring = new BlockRing({
    buffer: from.buffer,
    blockBytes: from.blockBytes,
    memory,
    link: { frameBytesMax: FRAME_BYTES_MAX },
  });
  const free = new FrameRing(FRAMES);
  for (let frame = 0; frame < 8; frame++) free.push(frame);
  const batch = privateBatch();
  equal(ring.take(batch, 8, free), 4);
  const times = new ArrivalTimes(memory.bytes.buffer);
  const read = [0, 1, 2, 3].map((n) => {
    const at = batch.offset[n]!;
    return [times.secondsOf(at), times.nanosecondsOf(at)];
  });
  const segment = [1_700_000_000, 5];
  deepEqual(read, [[0xfffffffe, 999_999_999], segment, segment, segment]);
});
