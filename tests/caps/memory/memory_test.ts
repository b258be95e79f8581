import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  batchAt,
  EXTENT_PAGES,
  frameAt,
  frameOffset,
  FRAMES_MAX,
  FRAMES_OFFSET,
  lendableFrames,
  makePacketMemory,
  openPacketMemory,
  PAGE_BYTES,
  privateBatch,
  RECEIVE_BATCH_OFFSET,
  wasmPagesFor,
  wasmPagesOf,
} from "../../../caps/memory/memory.ts";

Deno.test("packet memory has room for its frames and its extents, and hardly more", () => {
  for (
    const [frames, extents] of [[16, 0], [17, 0], [16, 1], [40, 3]] as const
  ) {
    const memory = makePacketMemory(frames, extents);
    const total = frames + extents * EXTENT_PAGES;
    equal(memory.frameCount, total);
    equal(memory.extentCount, extents);
    const spare = memory.bytes.byteLength - frameOffset(total);
    ok(spare >= 0 && spare < 65536, `${spare} bytes more than needed`);
    equal(wasmPagesOf(memory), wasmPagesFor(total));
    throws(() => memory.wasm.grow(1), RangeError);
  }
});

Deno.test("packet memory has 16 frames at least, and all that there may be at most", () => {
  for (
    const [frames, extents] of [
      [15, 0],
      [16.5, 0],
      [NaN, 0],
      [16, -1],
      [16, 0.5],
      [FRAMES_MAX + 1, 0],
      [FRAMES_MAX - EXTENT_PAGES + 1, 1],
    ] as const
  ) {
    throws(() => makePacketMemory(frames, extents), RangeError);
  }
  equal(makePacketMemory(FRAMES_MAX, 0).frameCount, FRAMES_MAX);
  equal(
    makePacketMemory(FRAMES_MAX - EXTENT_PAGES, 1).frameCount,
    FRAMES_MAX,
  );
});

Deno.test("packet memory of another's making is opened when it is large enough", () => {
  const { wasm } = makePacketMemory(16);
  equal(openPacketMemory(wasm, 16).extentCount, 0);
  throws(() => openPacketMemory(wasm, 17), /cannot hold 17 frames/);
});

Deno.test("a frame's bytes are its own: its offset leads to it, and the byte before to another", () => {
  equal(frameOffset(0), FRAMES_OFFSET);
  for (const frame of [0, 1, 15]) {
    const offset = frameOffset(frame);
    equal(frameAt(offset), frame);
    equal(frameAt(offset + PAGE_BYTES - 1), frame);
    equal(frameAt(offset + PAGE_BYTES), frame + 1);
  }
});

Deno.test("a quarter of the frames stays the NIC's, rounded up", () => {
  deepEqual([16, 17, 19, 20, 21].map(lendableFrames), [12, 12, 14, 15, 15]);
});

Deno.test("a private batch has its own arrays, none over another, outside packet memory", () => {
  const memory = makePacketMemory(16);
  const inside = batchAt(memory, RECEIVE_BATCH_OFFSET);
  const { address, ...arrays } = privateBatch();
  equal(address, 0);
  const all = Object.values(arrays);
  all.forEach((array, i) => array.fill(i + 1));
  all.forEach((array, i) => ok(array.every((word) => word === i + 1)));
  ok(inside.offset.every((word) => word === 0));
});
