/** The suite that every driver passes, on a real veth. */

import assert from "node:assert/strict";
import {
  batchAt,
  frameOffset,
  RECEIVE_BATCH_OFFSET,
  SEND_BATCH_OFFSET,
} from "../../../caps/memory/memory.ts";
import { testDriver } from "../../conformance/driver.ts";
import { testWith } from "../../needs.ts";
import {
  makeNamespacePair,
  type NamespacePair,
  NETNS_NEEDS,
} from "../../netns.ts";
import { xdpRig } from "./rig.ts";

let pair: NamespacePair | undefined;

testDriver(
  "xdp",
  async () => xdpRig(pair ??= await makeNamespacePair()),
  { file: import.meta.url, needs: NETNS_NEEDS, runs: 15 },
);

testWith(
  NETNS_NEEDS,
  "while a full completion ring stops sending, packets are received, and what it held up leaves as soon as frames are reclaimed",
  async () => {
    await using rig = xdpRig(pair ??= await makeNamespacePair());
    const { driver, memory } = rig;
    const batch = batchAt(memory, SEND_BATCH_OFFSET);
    const send = (first: number) => {
      for (let n = 0; n < 64; n++) {
        batch.offset[n] = frameOffset(first + n);
        batch.length[n] = 60;
      }
      return driver.transmit(batch, 64);
    };
    const back = new Uint32Array(64);
    assert.equal(send(0), 64);
    assert.equal(send(64), 64);
    assert.equal(send(128), 0);
    const free = Uint32Array.from({ length: 32 }, (_, n) => 128 + n);
    assert.equal(driver.provide(free, 32), 32);
    const frame = new Uint8Array(60).fill(0xff);
    frame.set([0x88, 0xb5], 12);
    rig.inject(Array.from({ length: 32 }, () => frame));
    const received = batchAt(memory, RECEIVE_BATCH_OFFSET);
    let count = 0;
    while (count < 32) {
      count += driver.receive(received, 32);
      await driver.wait(10);
    }
    const seen = new Set<number>();
    for (let turn = 0; turn < 2; turn++) {
      assert.equal(driver.reclaim(back), 64);
      for (const frame of back) seen.add(frame);
    }
    assert.equal(seen.size, 128);
    assert.equal(driver.counters()["tx-packets"], 128);
  },
);

Deno.test.afterAll(() => pair?.[Symbol.asyncDispose]());
