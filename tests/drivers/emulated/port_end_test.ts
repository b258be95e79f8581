import { delay } from "@std/async/delay";
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { makePacketMemory } from "../../../caps/memory/memory.ts";
import { openEmulated } from "../../../drivers/emulated/driver.ts";
import {
  openPortEnd,
  type PortEndOptions,
} from "../../../drivers/emulated/port_end.ts";
import type { WireEnd } from "../../../drivers/emulated/wire.ts";
import { testDriver } from "../../conformance/driver.ts";
import { collectFrom, farSide, MAC } from "./rig.ts";

function pair(options: PortEndOptions = {}): [WireEnd, WireEnd] {
  const { port1, port2 } = new MessageChannel();
  return [openPortEnd(port1, options), openPortEnd(port2, options)];
}

/** Turns until `done`; what never comes is a failure, not a hang. */
async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (done()) return;
    await delay(5);
  }
  throw new Error("it did not come");
}

testDriver("emulated beyond a port", () => {
  const memory = makePacketMemory(64);
  const [end, far] = pair();
  const driver = openEmulated({ memory, end, mac: MAC, ringFrames: 16 });
  return {
    driver,
    memory,
    ...farSide(far),
    [Symbol.asyncDispose]: async () => {
      driver[Symbol.dispose]();
      await delay(5);
      far[Symbol.dispose]();
    },
  };
}, { file: import.meta.url, runs: 30 });

Deno.test("what is in flight is bounded until the other side has read it", async () => {
  const [near, far] = pair({ batchesMax: 2 });
  const frame = new Uint8Array(1500).fill(1);
  const fit = 2 * Math.floor(65536 / 1504);
  let sent = 0;
  while (near.send(frame, 0, frame.length)) sent++;
  strictEqual(sent, fit);
  strictEqual(near.counters()["tx-queue-full"], 1);
  await until(() => far.peek() > 0);
  await delay(5);
  strictEqual(collectFrom(far).length, fit);
  await until(() => near.send(frame, 0, frame.length));
  near[Symbol.dispose]();
  await until(() => collectFrom(far).length === 0 && far.ended);
});

Deno.test("messages that are not a batch are counted, and nothing of them arrives", async () => {
  const { port1, port2 } = new MessageChannel();
  const end = openPortEnd(port1);
  const lying = new ArrayBuffer(65536);
  new DataView(lying).setUint32(0, 4000, true);
  const beyond = new ArrayBuffer(65536);
  new DataView(beyond).setUint32(0, 100, true);
  const messages: unknown[] = [
    null,
    1,
    "frames",
    {},
    { frames: new ArrayBuffer(8), count: 1 },
    { frames: new Uint8Array(65536), count: 1 },
    { frames: lying, count: 1 },
    { frames: beyond, count: 2 },
    { frames: beyond, count: -1 },
    { frames: beyond, count: 1.5 },
    { empty: new ArrayBuffer(65536) },
    { empty: 0 },
  ];
  for (const message of messages) port2.postMessage(message);
  await until(() => end.counters()["rx-bad-message"] === messages.length);
  strictEqual(end.peek(), 0);
  end[Symbol.dispose]();
  port2.close();
});

Deno.test("an end that goes down ends the other once that has been read", async () => {
  const [near, far] = pair();
  const frame = Uint8Array.from({ length: 20 }, (_, i) => i);
  near.send(frame, 4, 15);
  near[Symbol.dispose]();
  near[Symbol.dispose]();
  strictEqual(near.send(frame, 0, 20), false);
  await until(() => far.peek() > 0);
  await delay(5);
  strictEqual(far.ended, false);
  deepStrictEqual(collectFrom(far), [frame.slice(4, 19)]);
  strictEqual(far.ended, true);
});

Deno.test("openPortEnd() refuses a frame size that no batch can carry", () => {
  const { port1 } = new MessageChannel();
  throws(
    () => openPortEnd(port1, { frameBytesMax: 65536 }),
    /from 14 to 65532/,
  );
  port1.close();
});
