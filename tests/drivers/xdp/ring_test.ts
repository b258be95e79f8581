/** The four rings against queues: nothing lost, nothing twice, in order, across the indices' overflow. */

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  batchAt,
  frameOffset,
  makePacketMemory,
  PAGE_BYTES,
  RECEIVE_BATCH_OFFSET,
} from "../../../caps/memory/memory.ts";
import {
  CompletionRing,
  FillRing,
  ReceiveRing,
  type RingMemory,
  TransmitRing,
} from "../../../drivers/xdp/ring.ts";
import { testProperty } from "../../property.ts";

const CAPACITY = 8;
const FIRST = 3;
const FRAMES = 12;
const UMEM = {
  offset: frameOffset(FIRST),
  frameFirst: FIRST,
  frameCount: FRAMES,
};

/** A ring whose indices stand at `start`, with rubbish in its entries. */
function ringAt(start: number, words: number): RingMemory {
  return {
    producer: new Uint32Array([start]),
    consumer: new Uint32Array([start]),
    flags: new Uint32Array([0]),
    entries: new Uint32Array(CAPACITY * words).fill(0xdeadbeef),
  };
}

/** The kernel's side of a ring that we produce: takes up to `count` entries. */
function kernelTakes(ring: RingMemory, words: number, count: number) {
  const taken: number[][] = [];
  while (taken.length < count && ring.consumer[0] !== ring.producer[0]) {
    const at = (ring.consumer[0]! % CAPACITY) * words;
    taken.push([...ring.entries.slice(at, at + words)]);
    ring.consumer[0] = ring.consumer[0]! + 1;
  }
  return taken;
}

/** The kernel's side of a ring that we consume: puts one entry unless it is full. */
function kernelPuts(ring: RingMemory, entry: readonly number[]): boolean {
  const used = (ring.producer[0]! - ring.consumer[0]!) >>> 0;
  if (used === CAPACITY) return false;
  ring.entries.set(entry, (ring.producer[0]! % CAPACITY) * entry.length);
  ring.producer[0] = ring.producer[0]! + 1;
  return true;
}

const start = fc.oneof(
  fc.constantFrom(0, 0xffff_fffd, 0x7fff_fffe),
  fc.nat(0xffff_ffff),
);
const frame = fc.integer({ min: FIRST, max: FIRST + FRAMES - 1 });
const packet = fc.record({
  frame,
  start: fc.nat(PAGE_BYTES - 1),
  bytes: fc.integer({ min: 1, max: PAGE_BYTES }),
}).map(({ frame, start, bytes }) => ({
  offset: frameOffset(frame) + start,
  length: Math.min(bytes, PAGE_BYTES - start),
}));
const memory = makePacketMemory(16);

function batchOf(packets: readonly { offset: number; length: number }[]) {
  const batch = batchAt(memory, RECEIVE_BATCH_OFFSET);
  for (const [n, { offset, length }] of packets.entries()) {
    batch.offset[n] = offset;
    batch.length[n] = length;
  }
  return batch;
}

testProperty(
  "the kernel gets the frames of the fill ring once each and in order",
  { runs: 300, file: import.meta.url },
  fc.property(
    start,
    fc.array(fc.tuple(fc.array(frame, { maxLength: 12 }), fc.nat(10))),
    (index, steps) => {
      const ring = ringAt(index, 2);
      const fill = new FillRing(ring, UMEM);
      const model: number[] = [];
      for (const [frames, takes] of steps) {
        const room = CAPACITY - model.length;
        assert.equal(fill.free, room);
        const padded = new Uint32Array([77, ...frames]);
        const put = fill.put(padded, 1, frames.length);
        assert.equal(put, Math.min(room, frames.length));
        model.push(...frames.slice(0, put));
        const expected = model.splice(0, takes);
        assert.deepEqual(
          kernelTakes(ring, 2, takes),
          expected.map((frame) => [(frame - FIRST) * PAGE_BYTES, 0]),
        );
      }
    },
  ),
);

testProperty(
  "the completion ring gives each frame back once and in order",
  { runs: 300, file: import.meta.url },
  fc.property(
    start,
    fc.array(fc.tuple(fc.array(packet, { maxLength: 12 }), fc.nat(10))),
    (index, steps) => {
      const ring = ringAt(index, 2);
      const completion = new CompletionRing(ring, UMEM);
      const model: number[] = [];
      for (const [packets, takes] of steps) {
        for (const { offset } of packets) {
          // The kernel gives back the address as it was sent: within the frame.
          if (!kernelPuts(ring, [offset - UMEM.offset, 0])) break;
          model.push(
            Math.floor(offset / PAGE_BYTES) - frameOffset(0) / PAGE_BYTES,
          );
        }
        const frames = new Uint32Array(takes);
        const taken = completion.take(frames);
        assert.deepEqual([...frames.slice(0, taken)], model.splice(0, takes));
      }
    },
  ),
);

testProperty(
  "the receive ring hands over each packet once and in order, after those that are in the batch",
  { runs: 300, file: import.meta.url },
  fc.property(
    start,
    fc.array(
      fc.tuple(fc.array(packet, { maxLength: 12 }), fc.nat(10), fc.nat(5)),
    ),
    (index, steps) => {
      const ring = ringAt(index, 4);
      const receive = new ReceiveRing(ring, UMEM);
      const model: { offset: number; length: number }[] = [];
      for (const [packets, max, at] of steps) {
        for (const { offset, length } of packets) {
          const entry = [offset - UMEM.offset, 0, length, 0];
          if (!kernelPuts(ring, entry)) break;
          model.push({ offset, length });
        }
        const batch = batchOf([]);
        batch.offset.fill(1);
        assert.equal(receive.ready, model.length > 0);
        const taken = receive.take(batch, at, max);
        const expected = model.splice(0, max);
        assert.equal(taken, expected.length);
        for (const [n, { offset, length }] of expected.entries()) {
          assert.equal(batch.offset[at + n], offset);
          assert.equal(batch.length[at + n], length);
        }
        assert.equal(batch.offset[at + taken], 1);
      }
    },
  ),
);

testProperty(
  "the kernel gets the packets of the transmit ring once each and in order",
  { runs: 300, file: import.meta.url },
  fc.property(
    start,
    fc.array(fc.tuple(fc.array(packet, { maxLength: 12 }), fc.nat(10))),
    (index, steps) => {
      const ring = ringAt(index, 4);
      const transmit = new TransmitRing(ring, UMEM);
      const model: number[][] = [];
      for (const [packets, takes] of steps) {
        assert.equal(transmit.pending, model.length);
        const put = transmit.put(batchOf(packets), packets.length);
        assert.equal(put, Math.min(CAPACITY - model.length, packets.length));
        for (const { offset, length } of packets.slice(0, put)) {
          model.push([offset - UMEM.offset, 0, length, 0]);
        }
        assert.deepEqual(
          kernelTakes(ring, 4, takes),
          model.splice(0, takes),
        );
      }
    },
  ),
);

const invalid = fc.oneof(
  fc.record({ offset: fc.constant(frameOffset(5)), length: fc.constant(0) }),
  // Leaves its frame by at least a byte.
  fc.nat(PAGE_BYTES - 1).chain((start) =>
    fc.record({
      offset: fc.constant(frameOffset(5) + start),
      length: fc.oneof(
        fc.constant(PAGE_BYTES - start + 1),
        fc.integer({ min: PAGE_BYTES - start + 1, max: 0xffff_ffff }),
      ),
    })
  ),
  fc.record({
    offset: fc.oneof(
      fc.nat(frameOffset(FIRST) - 1),
      fc.integer({ min: frameOffset(FIRST + FRAMES), max: 0xffff_ffff }),
    ),
    length: fc.constant(1),
  }),
);

testProperty(
  "the transmit ring refuses a packet that is empty or not within a frame of ours, and takes none with it",
  { runs: 300, file: import.meta.url },
  fc.property(
    start,
    fc.array(packet, { maxLength: CAPACITY - 1 }),
    invalid,
    (index, packets, bad) => {
      const ring = ringAt(index, 4);
      const transmit = new TransmitRing(ring, UMEM);
      const all = [...packets, bad];
      assert.throws(() => transmit.put(batchOf(all), all.length), RangeError);
      assert.equal(ring.producer[0], index);
      assert.equal(
        transmit.put(batchOf(packets), packets.length),
        packets.length,
      );
    },
  ),
);

testProperty(
  "the fill ring refuses a frame that is not ours, and takes none with it",
  { runs: 100, file: import.meta.url },
  fc.property(
    start,
    fc.array(frame, { maxLength: CAPACITY - 1 }),
    fc.oneof(
      fc.nat(FIRST - 1),
      fc.integer({ min: FIRST + FRAMES, max: 0xffff_ffff }),
    ),
    (index, frames, bad) => {
      const ring = ringAt(index, 2);
      const fill = new FillRing(ring, UMEM);
      const all = new Uint32Array([...frames, bad]);
      assert.throws(() => fill.put(all, 0, all.length), RangeError);
      assert.equal(ring.producer[0], index);
    },
  ),
);

Deno.test("a ring's entries must be a power of two", () => {
  const ring = { ...ringAt(0, 2), entries: new Uint32Array(6 * 2) };
  assert.throws(() => new FillRing(ring, UMEM), /6 entries is no power of two/);
});

Deno.test("the rings say when the kernel wants to be woken", () => {
  const ring = ringAt(0, 4);
  const transmit = new TransmitRing(ring, UMEM);
  assert.equal(transmit.needsWakeup, false);
  ring.flags[0] = 1;
  assert.equal(transmit.needsWakeup, true);
  assert.equal(new FillRing({ ...ring }, UMEM).needsWakeup, true);
});
