import assert from "node:assert/strict";
import fc from "fast-check";
import { isBufferOf, isPageOrExtent } from "../../../caps/memory/buffers.ts";
import { EXTENT_BYTES, PAGE_BYTES } from "../../../caps/memory/memory.ts";
import { testProperty } from "../../property.ts";

Deno.test("isBufferOf() takes an ArrayBuffer of that size and nothing that only looks like one", () => {
  const detached = new ArrayBuffer(8);
  structuredClone(detached, { transfer: [detached] });
  const dressed = Object.defineProperty(new ArrayBuffer(4), "byteLength", {
    value: 8,
  });
  const posing = Object.create(ArrayBuffer.prototype, {
    byteLength: { value: 8 },
    resizable: { value: false },
    detached: { value: false },
  });
  class Sub extends ArrayBuffer {
    override get byteLength(): number {
      return 8;
    }
  }
  assert.ok(isBufferOf(new ArrayBuffer(8), 8));
  assert.ok(isBufferOf(new ArrayBuffer(0), 0));
  assert.ok(!isBufferOf(detached, 0), "its size is 0 now");
  const forged = [
    new ArrayBuffer(7),
    new ArrayBuffer(8, { maxByteLength: 16 }),
    new SharedArrayBuffer(8),
    new Uint8Array(8),
    new Proxy(new ArrayBuffer(8), {}),
    new Sub(4),
    detached,
    dressed,
    posing,
    { byteLength: 8, resizable: false, detached: false },
  ];
  for (const value of forged) {
    assert.ok(!isBufferOf(value, 8), Object.prototype.toString.call(value));
  }
});

testProperty(
  "isBufferOf() never throws",
  { runs: 300, file: import.meta.url },
  fc.property(fc.anything(), (value) => {
    assert.equal(isBufferOf(value, 8), false);
  }),
);

Deno.test("a page and an extent are buffers of just these sizes", () => {
  for (const sizeBytes of [PAGE_BYTES, EXTENT_BYTES]) {
    assert.ok(isPageOrExtent(new ArrayBuffer(sizeBytes)));
    for (const other of [sizeBytes - 1, sizeBytes + 1, 2 * sizeBytes]) {
      assert.ok(!isPageOrExtent(new ArrayBuffer(other)));
    }
  }
});
