import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  frameOffset,
  makePacketMemory,
  type PacketMemory,
  PAGE_BYTES,
} from "../../../caps/memory/memory.ts";
import { CopiedPages } from "../../../drivers/kit/copied_pages.ts";
import { testProperty } from "../../property.ts";

/** The bytes of a frame, and a pattern to fill it with. */
function frameBytes(memory: PacketMemory, frame: number): Uint8Array {
  return memory.bytes.subarray(frameOffset(frame), frameOffset(frame + 1));
}

Deno.test("a page carries the frame's bytes out and the holder's back", () => {
  const memory = makePacketMemory(16);
  const pages = new CopiedPages(memory);
  frameBytes(memory, 3).fill(7);
  const page = pages.lend(3, 1);
  strictEqual(page.byteLength, PAGE_BYTES);
  deepStrictEqual(new Uint8Array(page), new Uint8Array(PAGE_BYTES).fill(7));
  new Uint8Array(page).fill(9);
  strictEqual(frameBytes(memory, 3)[0], 7, "a copy, not the frame itself");
  strictEqual(pages.accept(3, page), 1);
  deepStrictEqual(
    new Uint8Array(frameBytes(memory, 3)),
    new Uint8Array(PAGE_BYTES).fill(9),
  );
  strictEqual(frameBytes(memory, 2)[PAGE_BYTES - 1], 0);
  strictEqual(frameBytes(memory, 4)[0], 0);
});

Deno.test("a page that came back is detached for whoever kept it, and used again", () => {
  const memory = makePacketMemory(16);
  const pages = new CopiedPages(memory);
  const page = pages.lend(0, 1);
  const kept = new Uint8Array(page);
  strictEqual(pages.accept(0, page), 1);
  strictEqual(kept.length, 0, "the view that the holder kept is void");
  frameBytes(memory, 1).fill(5);
  const next = pages.lend(1, 1);
  deepStrictEqual(new Uint8Array(next), new Uint8Array(PAGE_BYTES).fill(5));
});

Deno.test("a page is accepted once, for a frame that is lent", () => {
  const pages = new CopiedPages(makePacketMemory(16));
  const page = pages.lend(0, 1);
  strictEqual(pages.accept(1, page), 0, "frame 1 is not lent");
  strictEqual(pages.accept(-1, page), 0);
  strictEqual(pages.accept(16, page), 0);
  strictEqual(pages.accept(NaN, page), 0);
  strictEqual(pages.accept(0, page), 1);
  strictEqual(pages.accept(0, new ArrayBuffer(PAGE_BYTES)), 0);
  throws(() => pages.lend(99, 1), /frame 99 does not exist/);
  pages.lend(0, 1);
  throws(() => pages.lend(0, 1), /frame 0 is lent already/);
});

/** Things that are not a page, some of them built to trip a check. */
function impostors(): unknown[] {
  const detached = new ArrayBuffer(PAGE_BYTES);
  structuredClone(detached, { transfer: [detached] });
  const lying = new ArrayBuffer(8);
  Object.defineProperty(lying, "byteLength", { value: PAGE_BYTES });
  const throwing = new Proxy(new ArrayBuffer(PAGE_BYTES), {
    get() {
      throw new Error("touched");
    },
    getPrototypeOf() {
      throw new Error("touched");
    },
  });
  return [
    detached,
    lying,
    throwing,
    new ArrayBuffer(PAGE_BYTES, { maxByteLength: 2 * PAGE_BYTES }),
    new SharedArrayBuffer(PAGE_BYTES),
    new Uint8Array(PAGE_BYTES),
    new DataView(new ArrayBuffer(PAGE_BYTES)),
    { byteLength: PAGE_BYTES, resizable: false, detached: false },
    Object.create(ArrayBuffer.prototype),
    new ArrayBuffer(PAGE_BYTES - 1),
    new ArrayBuffer(PAGE_BYTES + 1),
  ];
}

testProperty(
  "accept() refuses whatever is not a page, never throws, and leaves the frame alone",
  { runs: 200, file: import.meta.url },
  fc.property(
    fc.oneof(
      fc.anything({ withTypedArray: true, withBigInt: true }),
      fc.nat({ max: impostors().length - 1 }).map((i) => impostors()[i]),
    ),
    (value) => {
      const memory = makePacketMemory(16);
      const pages = new CopiedPages(memory);
      frameBytes(memory, 0).fill(3);
      const page = pages.lend(0, 1);
      strictEqual(pages.accept(0, value), 0);
      strictEqual(frameBytes(memory, 0).every((byte) => byte === 3), true);
      strictEqual(pages.accept(0, page), 1);
    },
  ),
);

Deno.test("accept() calls nothing that the holder put on its buffer", () => {
  const pages = new CopiedPages(makePacketMemory(16));
  const page = pages.lend(0, 1);
  let touched = 0;
  for (
    const key of ["byteLength", "transfer", "slice", "constructor", "detached"]
  ) {
    Object.defineProperty(page, key, {
      get: () => {
        touched++;
        throw new Error("touched");
      },
    });
  }
  strictEqual(pages.accept(0, page), 1);
  strictEqual(touched, 0);
});

Deno.test("frames side by side are lent as one buffer, and come back as one", () => {
  const memory = makePacketMemory(16);
  const pages = new CopiedPages(memory);
  for (let frame = 0; frame < 16; frame++) {
    frameBytes(memory, frame).fill(frame);
  }
  const page = pages.lend(4, 3);
  const bytes = new Uint8Array(page);
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 4 + (i >>> 12)) throw new Error(`byte ${i}: ${bytes[i]}`);
  }
  throws(() => pages.lend(6, 1), /frame 6 is lent already/);
  bytes.fill(0x77);
  strictEqual(pages.accept(5, page), 0);
  strictEqual(pages.accept(4, new ArrayBuffer(PAGE_BYTES)), 0);
  strictEqual(pages.accept(4, page), 3);
  for (let frame = 4; frame < 7; frame++) {
    ok(frameBytes(memory, frame).every((byte) => byte === 0x77));
  }
  ok(frameBytes(memory, 3).every((byte) => byte === 3));
  ok(frameBytes(memory, 7).every((byte) => byte === 7));
});
