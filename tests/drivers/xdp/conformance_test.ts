/** The suite that every driver passes, on a real veth. */

import assert from "node:assert/strict";
import {
  batchAt,
  frameOffset,
  SEND_BATCH_OFFSET,
} from "../../../caps/memory.ts";
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
  "what a full completion ring held up leaves as soon as frames are reclaimed",
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
