/** The suite that every driver passes, on a real veth. */

import assert from "node:assert/strict";
import {
  batchAt,
  frameOffset,
  RECEIVE_BATCH_OFFSET,
  SEND_BATCH_OFFSET,
} from "../../../caps/memory/memory.ts";
import { openPacket } from "../../../drivers/packet/open.ts";
import { ethernet } from "../../../services/filter/grant/builder.ts";
import type { Grant } from "../../../services/filter/grant/grant.ts";
import { SocketCover } from "../../../services/filter/classic/cover.ts";
import { type DriverRig, testDriver } from "../../conformance/driver.ts";
import { testWith } from "../../needs.ts";
import {
  INTERFACE,
  makeNamespacePair,
  type NamespacePair,
  NETNS_NEEDS,
} from "../../netns.ts";
import { ETHER_TYPE, RING_ENTRIES, vethRig } from "../xdp/rig.ts";

let pair: NamespacePair | undefined;

/** A driver that takes `grant`. */
async function rig(grant: Grant): Promise<DriverRig> {
  return vethRig(pair ??= await makeNamespacePair(), (memory) => {
    const driver = openPacket({
      interfaceName: INTERFACE,
      memory,
      ringEntries: RING_ENTRIES,
      blocks: 4,
    });
    const cover = new SocketCover([{ slot: 1, grant, children: [] }]);
    driver.admit?.(cover.emit());
    return driver;
  });
}

const GRANT = ethernet().etherType(ETHER_TYPE).grant;

testDriver(
  "packet",
  () => rig(GRANT),
  { file: import.meta.url, needs: NETNS_NEEDS, runs: 15 },
);

/** What arrives within half a second, at least `count` packets. */
async function received(
  { driver, memory }: DriverRig,
  count: number,
): Promise<Uint8Array[]> {
  const batch = batchAt(memory, RECEIVE_BATCH_OFFSET);
  const packets: Uint8Array[] = [];
  const untilMs = performance.now() + 500;
  while (packets.length < count && performance.now() < untilMs) {
    await driver.wait(10);
    const got = driver.receive(batch, 16);
    for (let n = 0; n < got; n++) {
      const offset = batch.offset[n]!;
      packets.push(memory.bytes.slice(offset, offset + batch.length[n]!));
    }
  }
  return packets;
}

testWith(
  NETNS_NEEDS,
  "packet: VLAN tags that the kernel took out are back in their place, and other VLANs stay out",
  async () => {
    await using veth = await rig(ethernet().vlan(7).grant);
    veth.driver.provide(Uint32Array.from({ length: 16 }, (_, n) => n), 16);
    const frame = (type: number, vlan: number, length: number) => {
      const bytes = Uint8Array.from({ length }, (_, n) => n);
      bytes.fill(0xff, 0, 6);
      new DataView(bytes.buffer).setUint32(12, type * 65536 + vlan);
      new DataView(bytes.buffer).setUint16(16, ETHER_TYPE);
      return bytes;
    };
    const frames = [
      frame(0x8100, 0x6007, 64),
      frame(0x8100, 8, 64),
      frame(0x88a8, 7, 100),
      // As long as the interface's MTU allows with a tag.
      frame(0x8100, 7, 1518),
    ];
    await veth.inject(frames);
    const wanted = [frames[0]!, frames[2]!, frames[3]!];
    assert.deepEqual(await received(veth, 3), wanted);
  },
);

testWith(
  NETNS_NEEDS,
  "packet: what an interface does not send is counted, its frame comes back, and what follows leaves",
  async () => {
    await using veth = await rig(GRANT);
    const { driver, memory } = veth;
    const batch = batchAt(memory, SEND_BATCH_OFFSET);
    for (const [n, length] of [60, 3000, 61].entries()) {
      batch.offset[n] = frameOffset(n);
      batch.length[n] = length;
      memory.bytes[frameOffset(n) + 12] = ETHER_TYPE >> 8;
      memory.bytes[frameOffset(n) + 13] = ETHER_TYPE & 0xff;
    }
    assert.equal(driver.transmit(batch, 3), 3);
    const back = new Uint32Array(4);
    assert.equal(driver.reclaim(back), 3);
    assert.deepEqual([...back.subarray(0, 3)], [0, 1, 2]);
    const lengths = (await veth.collect()).map(({ length }) => length);
    assert.deepEqual(lengths, [60, 61]);
    const counters = driver.counters();
    assert.equal(counters["tx-packets"], 2);
    assert.equal(counters["tx-refused"], 1);
    batch.offset[0] = 0;
    assert.throws(() => driver.transmit(batch, 1), RangeError);
  },
);

Deno.test.afterAll(() => pair?.[Symbol.asyncDispose]());
