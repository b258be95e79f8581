import {
  batchAt,
  frameOffset,
  HEADROOM_BYTES,
  makePacketMemory,
  RECEIVE_BATCH_OFFSET,
} from "../../../caps/memory/memory.ts";
import { strictEqual, throws } from "node:assert/strict";
import { openEmulated } from "../../../drivers/emulated/driver.ts";
import { makeWire } from "../../../drivers/emulated/wire.ts";
import { testDriver } from "../../conformance/driver.ts";
import { collectFrom, emulatedRig, MAC } from "./rig.ts";

testDriver("emulated", () => emulatedRig(), { file: import.meta.url });

function opened(queueFrames = 8) {
  const memory = makePacketMemory(32);
  const [end, farEnd] = makeWire({ queueFrames });
  const driver = openEmulated({ memory, end, mac: MAC, ringFrames: 16 });
  return {
    driver,
    memory,
    farEnd,
    batch: batchAt(memory, RECEIVE_BATCH_OFFSET),
  };
}

Deno.test("a packet arrives behind the headroom that XDP leaves", () => {
  const { driver, batch, farEnd } = opened();
  using _ = driver;
  farEnd.send(new Uint8Array(60), 0, 60);
  driver.provide(Uint32Array.of(5), 1);
  strictEqual(driver.receive(batch, 8), 1);
  strictEqual(batch.offset[0], frameOffset(5) + HEADROOM_BYTES);
  strictEqual(batch.length[0], 60);
});

Deno.test("what the far side has no room for is counted, and its frame comes back", () => {
  const { driver, batch, farEnd } = opened(2);
  using _ = driver;
  for (let i = 0; i < 3; i++) {
    batch.offset[i] = frameOffset(i);
    batch.length[i] = 60;
  }
  strictEqual(driver.transmit(batch, 3), 3);
  strictEqual(driver.counters()["tx-queue-full"], 1);
  strictEqual(driver.counters()["tx-packets"], 2);
  strictEqual(driver.reclaim(new Uint32Array(8)), 3);
  strictEqual(collectFrom(farEnd).length, 2);
});

Deno.test("a link that goes down ends the driver once all has been received", () => {
  const { driver, batch, farEnd } = opened();
  using _ = driver;
  farEnd.send(new Uint8Array(60), 0, 60);
  farEnd[Symbol.dispose]();
  strictEqual(driver.ended, false);
  driver.provide(Uint32Array.of(0), 1);
  strictEqual(driver.receive(batch, 8), 1);
  strictEqual(driver.ended, true);
  batch.offset[0] = frameOffset(0);
  strictEqual(driver.transmit(batch, 1), 1);
  strictEqual(driver.counters()["tx-link-down"], 1);
});

Deno.test("openEmulated() says what does not fit", () => {
  const memory = makePacketMemory(16);
  const end = makeWire()[0];
  throws(
    () => openEmulated({ memory, end, mac: new Uint8Array(5) }),
    /emulated: the hardware address has 5 bytes; it must have 6/,
  );
  throws(
    () =>
      openEmulated({
        memory,
        end: makeWire({ frameBytesMax: 3841 })[0],
        mac: MAC,
      }),
    /frames of 3841 bytes do not fit into a page; at most 3840 do/,
  );
  throws(
    () => openEmulated({ memory, end, mac: MAC, ringFrames: 3 }),
    /capacity is 3/,
  );
});

Deno.test("a packet that leaves its frame is the caller's error, not sent", () => {
  const { driver, batch, farEnd } = opened();
  using _ = driver;
  batch.offset[0] = frameOffset(1) - 10;
  batch.length[0] = 20;
  throws(() => driver.transmit(batch, 1), /a packet that leaves it/);
  throws(() => driver.provide(Uint32Array.of(32), 1), /no frame 32/);
  strictEqual(collectFrom(farEnd).length, 0);
});
