import { deepEqual, equal } from "node:assert/strict";
import { EXTENT_PAGES, PAGE_BYTES } from "../../../caps/memory/memory.ts";
import { PageLedger } from "../../../caps/memory/page_ledger.ts";
import type { Driver } from "../../../drivers/driver.ts";
import { Supply } from "../../../drivers/service/supply.ts";

/** A NIC's ring with so much room. */
class Ring {
  readonly info: { readonly frameBytesMax: number };
  room: number;
  readonly frames: number[] = [];
  /** How many it was offered, each time. */
  readonly offers: number[] = [];

  constructor(room: number, frameBytesMax = 1514) {
    this.room = room;
    this.info = { frameBytesMax };
  }

  provide(frames: Uint32Array, count: number): number {
    const taken = Math.min(count, this.room);
    this.frames.push(...frames.subarray(0, taken));
    this.room -= taken;
    this.offers.push(count);
    return taken;
  }
}

function makeGround(frameCount: number, ring: Ring, extentCount = 0) {
  const ledger = new PageLedger(
    frameCount + extentCount * EXTENT_PAGES,
    extentCount,
  );
  const entitlements = { pages: 0 };
  const driver = ring as unknown as Driver;
  return {
    ledger,
    entitlements,
    supply: new Supply(driver, ledger, entitlements),
  };
}

Deno.test("a quarter of the frames is kept back from the NIC, whoever is entitled to nothing", () => {
  const ring = new Ring(Infinity);
  const { supply, ledger } = makeGround(42, ring);
  supply.provide();
  equal(ring.frames.length, 32);
  equal(ledger.idleCount, 10);
  ledger.check();
});

Deno.test("what holders are entitled to is kept back, but for a quarter that is the NIC's", () => {
  for (
    const [entitled, given] of [[10, 30], [11, 29], [25, 15], [30, 10], [
      31,
      10,
    ], [
      99,
      10,
    ]] as const
  ) {
    const ring = new Ring(Infinity);
    const { supply, entitlements } = makeGround(40, ring);
    entitlements.pages = entitled;
    supply.provide();
    equal(ring.frames.length, given, `entitled to ${entitled}`);
  }
});

Deno.test("a batch is provided at once at most", () => {
  const ring = new Ring(Infinity);
  const { supply } = makeGround(1024, ring);
  for (let i = 0; i < 4; i++) supply.provide();
  deepEqual(ring.offers, [256, 256, 256]);
});

Deno.test("what a full ring does not take is idle, and it is asked again once it gave something back", () => {
  const ring = new Ring(5);
  const { supply, ledger } = makeGround(16, ring);
  supply.provide();
  deepEqual(ring.frames, [0, 1, 2, 3, 4]);
  equal(ledger.idleCount, 11);
  supply.provide();
  equal(ring.offers.length, 1, "it is full, and is not asked");
  ring.room = 2;
  supply.received(2);
  supply.provide();
  deepEqual(ring.offers, [12, 2]);
  supply.provide();
  equal(ring.offers.length, 2);
  // Where nothing came there is time to ask the ring itself.
  ring.room = 1;
  supply.received(0);
  supply.provide();
  deepEqual(ring.offers, [12, 2, 5]);
  equal(ledger.idleCount, 8);
  ledger.check();
});

Deno.test("a NIC whose packets are larger than a page receives into extents", () => {
  for (const frameBytesMax of [PAGE_BYTES, PAGE_BYTES + 1]) {
    const ring = new Ring(Infinity, frameBytesMax);
    const { supply, ledger, entitlements } = makeGround(16, ring, 8);
    entitlements.pages = 2 * EXTENT_PAGES + 1;
    supply.provide();
    const isLarge = frameBytesMax > PAGE_BYTES;
    // Three extents for what is more than two; of frames three quarters are kept.
    equal(ring.frames.length, isLarge ? 5 : 4);
    equal(ledger.idleExtentCount, isLarge ? 3 : 8);
    equal(ledger.idleCount, isLarge ? 16 : 12);
  }
});
