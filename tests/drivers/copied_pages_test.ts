import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  frameOffset,
  makePacketMemory,
  type PacketMemory,
  PAGE_BYTES,
} from "../../caps/memory.ts";
import { CopiedPages } from "../../drivers/copied_pages.ts";
import { testProperty } from "../property.ts";

/** The bytes of a frame, and a pattern to fill it with. */
function frameBytes(memory: PacketMemory, frame: number): Uint8Array {
  return memory.bytes.subarray(frameOffset(frame), frameOffset(frame + 1));
}

Deno.test("a page carries the frame's bytes out and the holder's back", () => {
  const memory = makePacketMemory(16);
  const pages = new CopiedPages(memory);
  frameBytes(memory, 3).fill(7);
  const page = pages.lend(3);
  strictEqual(page.byteLength, PAGE_BYTES);
  deepStrictEqual(new Uint8Array(page), new Uint8Array(PAGE_BYTES).fill(7));
  new Uint8Array(page).fill(9);
  strictEqual(frameBytes(memory, 3)[0], 7, "a copy, not the frame itself");
  strictEqual(pages.accept(3, page), true);
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
  const page = pages.lend(0);
  const kept = new Uint8Array(page);
  strictEqual(pages.accept(0, page), true);
  strictEqual(kept.length, 0, "the view that the holder kept is void");
  frameBytes(memory, 1).fill(5);
  const next = pages.lend(1);
  deepStrictEqual(new Uint8Array(next), new Uint8Array(PAGE_BYTES).fill(5));
});

Deno.test("a page is accepted once, for a frame that is lent", () => {
  const pages = new CopiedPages(makePacketMemory(16));
  const page = pages.lend(0);
  strictEqual(pages.accept(1, page), false, "frame 1 is not lent");
  strictEqual(pages.accept(-1, page), false);
  strictEqual(pages.accept(16, page), false);
  strictEqual(pages.accept(NaN, page), false);
  strictEqual(pages.accept(0, page), true);
  strictEqual(pages.accept(0, new ArrayBuffer(PAGE_BYTES)), false);
  throws(() => pages.lend(99), /frame 99 does not exist/);
  pages.lend(0);
  throws(() => pages.lend(0), /frame 0 is lent already/);
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
      const page = pages.lend(0);
      strictEqual(pages.accept(0, value), false);
      strictEqual(frameBytes(memory, 0).every((byte) => byte === 3), true);
      strictEqual(pages.accept(0, page), true);
    },
  ),
);

Deno.test("accept() calls nothing that the holder put on its buffer", () => {
  const pages = new CopiedPages(makePacketMemory(16));
  const page = pages.lend(0);
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
  strictEqual(pages.accept(0, page), true);
  strictEqual(touched, 0);
});
