/** What comes back for a page is believed only when it is that page. */

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  frameOffset,
  makePacketMemory,
  type PacketMemory,
  PAGE_BYTES,
} from "../../../caps/memory/memory.ts";
import { addressOf } from "../../../drivers/sys/libc.ts";
import { MappedPages } from "../../../drivers/sys/mapped_pages.ts";
import { testWith } from "../../needs.ts";
import { testProperty } from "../../property.ts";

const FRAMES = 16;

interface Lent {
  readonly memory: PacketMemory;
  readonly pages: MappedPages;
  readonly frame: number;
  /** The page as a holder has it, after one transfer. */
  readonly page: ArrayBuffer;
}

function lent(frame: number): Lent {
  const memory = makePacketMemory(FRAMES);
  const pages = new MappedPages(memory);
  const page = moved(pages.lend(frame, 1));
  return { memory, pages, frame, page };
}

/** What a transfer list does: the sender's is detached, the receiver has another. */
function moved(page: ArrayBuffer): ArrayBuffer {
  return structuredClone(page, { transfer: [page] });
}

/** An attempt to have something taken for the page. */
const cheats: Readonly<Record<string, (lent: Lent) => unknown>> = {
  "a fresh buffer": () => new ArrayBuffer(PAGE_BYTES),
  "a copy of the page": ({ page }) => page.slice(0),
  "a structured clone": ({ page }) => structuredClone(page),
  "the page of another frame": ({ pages, frame }) =>
    moved(pages.lend((frame + 1) % FRAMES, 1)),
  "a shared buffer": () => new SharedArrayBuffer(PAGE_BYTES),
  "packet memory itself": ({ memory }) => memory.bytes.buffer,
  "a view of the page": ({ page }) => new Uint8Array(page),
  "a proxy that is in the way of everything": ({ page }) =>
    new Proxy(page, {
      get: (target, name) => Reflect.get(target, name, target),
      getPrototypeOf: () => {
        throw new Error("code of the holder's ran");
      },
    }),
  "an object that says it is a page": () => ({
    byteLength: PAGE_BYTES,
    resizable: false,
    detached: false,
    __proto__: ArrayBuffer.prototype,
  }),
  "a subclass's instance": () =>
    new (class Page extends ArrayBuffer {})(PAGE_BYTES),
  "the page with another prototype": ({ page }) =>
    Object.setPrototypeOf(page, null),
  "the page detached": ({ page }) => {
    moved(page);
    return page;
  },
  "a resizable buffer of the right size": () =>
    new ArrayBuffer(PAGE_BYTES, { maxByteLength: 2 * PAGE_BYTES }),
  "the page made resizable": ({ page }) => {
    const larger = new ArrayBuffer(PAGE_BYTES, { maxByteLength: 8192 });
    new Uint8Array(larger).set(new Uint8Array(page));
    return larger;
  },
  "the page cut short": ({ page }) => page.transfer(PAGE_BYTES - 1),
  "the page made longer": ({ page }) => page.transfer(PAGE_BYTES + 1),
  "the page shrunk and grown again": ({ page }) =>
    page.transfer(PAGE_BYTES - 8).transfer(PAGE_BYTES),
  "a buffer with getters that throw": ({ page }) =>
    Object.defineProperty(page.slice(0), "byteLength", {
      get: () => {
        throw new Error("code of the holder's ran");
      },
    }),
  "null": () => null,
  "undefined": () => undefined,
  "a number": () => 17,
  "a function": () => () => new ArrayBuffer(PAGE_BYTES),
};

const content = fc.uint8Array({ minLength: PAGE_BYTES, maxLength: PAGE_BYTES });

for (const [name, cheat] of Object.entries(cheats)) {
  testWith(["linux"], `accept() refuses ${name}`, () => {
    const holder = lent(5);
    const bytes = holder.memory.bytes;
    bytes.fill(0xa5, frameOffset(5), frameOffset(6));
    const forged = cheat(holder);
    const before = bytes.slice(frameOffset(5), frameOffset(6));
    assert.equal(holder.pages.accept(5, forged), 0);
    assert.deepEqual(bytes.slice(frameOffset(5), frameOffset(6)), before);
    // Refused is refused: the frame stays lent.
    assert.throws(() => holder.pages.lend(5, 1), /lent already/);
  });
}

testProperty(
  "what a holder writes is in the frame, and accept() changes no byte of it",
  { runs: 50, file: import.meta.url, needs: ["linux"] },
  fc.property(
    fc.nat(FRAMES - 1),
    content,
    fc.nat(3),
    (frame, data, moves) => {
      const { memory, pages, page } = lent(frame);
      new Uint8Array(page).set(data);
      let returned = page;
      for (let move = 0; move < moves; move++) returned = moved(returned);
      assert.equal(pages.accept(frame, returned), 1);
      assert.deepEqual(
        memory.bytes.slice(frameOffset(frame), frameOffset(frame + 1)),
        new Uint8Array(data),
      );
      assert.equal(returned.detached, true);
    },
  ),
);

testProperty(
  "frames side by side go and come back as one buffer, whole, and as nothing else",
  { runs: 50, file: import.meta.url, needs: ["linux"] },
  fc.property(
    fc.integer({ min: 0, max: FRAMES - 5 }),
    fc.integer({ min: 2, max: 5 }),
    fc.infiniteStream(fc.nat(255)),
    (frame, count, bytes) => {
      const memory = makePacketMemory(FRAMES);
      const pages = new MappedPages(memory);
      const of = (at: number, count: number) =>
        memory.bytes.subarray(frameOffset(at), frameOffset(at + count));
      of(frame, count).fill(7);
      const page = moved(pages.lend(frame, count));
      const whole = new Uint8Array(page);
      assert.deepEqual([...whole], new Array(count * PAGE_BYTES).fill(7));
      for (let i = 0; i < whole.length; i += 97) {
        whole[i] = bytes.next().value;
      }
      const written = whole.slice();
      for (let at = 0; at < FRAMES; at++) {
        if (at !== frame) assert.equal(pages.accept(at, page), 0);
      }
      for (const pagesOf of [1, count - 1, count + 1]) {
        const forged = new ArrayBuffer(pagesOf * PAGE_BYTES);
        assert.equal(pages.accept(frame, forged), 0);
      }
      assert.equal(pages.accept(frame, page.slice(0)), 0);
      assert.equal(pages.accept(frame, page), count);
      assert.equal(pages.accept(frame, page), 0);
      assert.deepEqual(new Uint8Array(of(frame, count)), written);
      // As other buffers the next time.
      assert.equal(pages.accept(frame, moved(pages.lend(frame, 1))), 1);
      const last = frame + count - 2;
      assert.equal(pages.accept(last, moved(pages.lend(last, 2))), 2);
    },
  ),
);

testProperty(
  "accept() takes a page once, for its own frame, whatever is tried in between",
  { runs: 100, file: import.meta.url, needs: ["linux"] },
  fc.property(
    fc.nat(FRAMES - 1),
    fc.array(fc.constantFrom(...Object.keys(cheats)), { maxLength: 5 }),
    (frame, attempts) => {
      for (const attempt of attempts) {
        const other = lent(frame);
        assert.equal(
          other.pages.accept(frame, cheats[attempt]!(other)),
          0,
        );
      }
      const { pages, page } = lent(frame);
      const wrong = (frame + 1) % FRAMES;
      assert.equal(pages.accept(wrong, page), 0);
      assert.equal(pages.accept(frame, page), 1);
      assert.equal(pages.accept(frame, page), 0);
      assert.equal(pages.accept(frame, pages.lend(wrong, 1)), 0);
      const again = pages.lend(frame, 1);
      assert.equal(again.byteLength, PAGE_BYTES);
      assert.equal(pages.accept(frame, again), 1);
    },
  ),
);

testWith(
  ["linux"],
  "accept() asks nothing of what was put on the prototype",
  () => {
    const { pages, page } = lent(3);
    const forged = new ArrayBuffer(8);
    const original = Object.getOwnPropertyDescriptor(
      ArrayBuffer.prototype,
      "byteLength",
    )!;
    Object.defineProperty(ArrayBuffer.prototype, "byteLength", {
      get: () => PAGE_BYTES,
      configurable: true,
    });
    let tookForged: number;
    try {
      tookForged = pages.accept(3, forged);
    } finally {
      Object.defineProperty(ArrayBuffer.prototype, "byteLength", original);
    }
    assert.equal(tookForged, 0);
    assert.equal(pages.accept(3, page), 1);
  },
);

testWith(
  ["linux"],
  "frames are lent once, and only where there are any",
  () => {
    const pages = new MappedPages(makePacketMemory(FRAMES));
    moved(pages.lend(2, 3));
    for (
      const [frame, count] of [[2, 1], [1, 2], [4, 9], [0, FRAMES]] as const
    ) {
      assert.throws(
        () => pages.lend(frame, count),
        /frame [24] is lent already/,
      );
    }
    assert.throws(() => pages.lend(FRAMES, 1), /frame 16 does not exist/);
    assert.throws(() => pages.lend(FRAMES - 1, 2), /frame 16 does not exist/);
    assert.equal(pages.lend(5, 1).byteLength, PAGE_BYTES);
  },
);

testWith(
  ["linux"],
  "accept() refuses a frame that was never lent or does not exist",
  () => {
    const pages = new MappedPages(makePacketMemory(FRAMES));
    for (const frame of [0, FRAMES, -1, 0.5, NaN]) {
      assert.equal(pages.accept(frame, new ArrayBuffer(PAGE_BYTES)), 0);
    }
  },
);

testWith(
  ["linux"],
  "a page that a worker held comes back as the frame",
  async () => {
    const memory = makePacketMemory(FRAMES);
    const pages = new MappedPages(memory);
    const code =
      "onmessage = ({ data }) => { new Uint8Array(data).fill(7, 8, 16); postMessage(data, [data]); }";
    const worker = new Worker(
      `data:text/javascript,${encodeURIComponent(code)}`,
      {
        type: "module",
      },
    );
    try {
      const page = pages.lend(2, 1);
      const returned = await new Promise<unknown>((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage(page, [page]);
      });
      assert.equal(page.detached, true);
      assert.equal(pages.accept(2, returned), 1);
      const at = frameOffset(2);
      assert.deepEqual([...memory.bytes.slice(at + 7, at + 17)], [
        0,
        7,
        7,
        7,
        7,
        7,
        7,
        7,
        7,
        0,
      ]);
    } finally {
      worker.terminate();
    }
  },
);

testWith(
  ["linux"],
  "accept() refuses the frame's own memory when it was not lent",
  () => {
    const memory = makePacketMemory(FRAMES);
    const pages = new MappedPages(memory);
    const address = addressOf(memory.bytes) + BigInt(frameOffset(4));
    const pointer = Deno.UnsafePointer.create(address)!;
    const page = Deno.UnsafePointerView.getArrayBuffer(pointer, PAGE_BYTES);
    assert.equal(pages.accept(4, page), 0);
  },
);
