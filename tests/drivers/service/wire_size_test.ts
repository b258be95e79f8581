/** What the wire does not take is dropped and counted, and is nobody's fault: what arrives, or a changed MTU, leads an honest holder to it. */

import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import type { Delivery } from "../../../caps/port/records.ts";
import { STRIKES_MAX } from "../../../drivers/service/holder.ts";
import type { Counts } from "../../../caps/driver/accounts.ts";
import { testProperty } from "../../property.ts";
import { type HolderPlan, Rig } from "./rig.ts";

const file = import.meta.url;

const ETHERNET_BYTES = 14;

/** Gets and sends everything, in pages, copies or shared memory. */
const WAYS: Readonly<Record<string, Partial<HolderPlan>>> = {
  "as copies": { copyBytesMax: 4096 },
  "in pages": { copyBytesMax: 0 },
};

function rigOf(way: Partial<HolderPlan>): Rig {
  const plan = { receives: [{}], sends: [{}], quotaPages: 32, copyBytesMax: 0 };
  return new Rig([{ ...plan, ...way }], 64, 1, { frameBytesMax: 3840 });
}

/** A frame of `length` bytes behind `tags` VLAN tags. */
function tagged(length: number, tags: number): Uint8Array {
  const frame = new Uint8Array(length).fill(0xab);
  if (length < 14) return frame;
  for (let tag = 0; tag < tags; tag++) {
    frame.set(tag % 2 === 0 ? [0x81, 0] : [0x88, 0xa8], 12 + 4 * tag);
  }
  frame.set([8, 0], 12 + 4 * tags);
  return frame;
}

/** What a holder that replies in place sends back. */
function replyInPlace(rig: Rig): void {
  const { port } = rig.holders[0]!;
  for (let d = port.take(); d !== undefined; d = port.take()) {
    const delivery: Delivery = d;
    if (d.count > 0) port.post(d, [delivery.records, ...delivery.pages]);
  }
  rig.turn();
}

function refusalsOf(rig: Rig): Counts {
  return rig.service.counts().refusals[0]!.refusals;
}

for (const [name, way] of Object.entries(WAYS)) {
  testProperty(
    `a frame goes out as long as the MTU, its Ethernet header and its tags let it, and otherwise no holder is struck for it: ${name}`,
    { runs: 100, file },
    fc.property(
      fc.integer({ min: 68, max: 3000 }),
      fc.integer({ min: -2, max: 2 }),
      fc.nat(3),
      (mtu, more, tags) => {
        using rig = rigOf(way);
        const most = mtu + ETHERNET_BYTES + 4 * Math.min(tags, 2);
        const frame = tagged(most + more, tags);
        // It arrives while the interface takes it, and is answered when it does not.
        rig.far.send(frame, 0, frame.length);
        rig.turn();
        rig.driver.setFrameBytesMax(mtu + ETHERNET_BYTES);
        replyInPlace(rig);
        equal(rig.sent().length, more > 0 ? 0 : 1);
        deepEqual(refusalsOf(rig), {});
        const [account] = rig.service.counts().accounts;
        deepEqual(account!.drops, more > 0 ? { "send-too-large": 1 } : {});
        const { lent, inFlight } = rig.service.counts().pages;
        deepEqual([lent, inFlight], [0, 0]);
      },
    ),
  );

  testProperty(
    `what arrives longer than the link takes is dropped and counted, so that no answer in place can be too long: ${name}`,
    { runs: 50, file },
    fc.property(
      fc.integer({ min: 68, max: 3000 }),
      fc.array(fc.tuple(fc.integer({ min: -2, max: 40 }), fc.nat(2)), {
        maxLength: 12,
      }),
      (mtu, arrivals) => {
        using rig = rigOf(way);
        rig.driver.setFrameBytesMax(mtu + ETHERNET_BYTES);
        let dropped = 0;
        for (const [more, tags] of arrivals) {
          const most = mtu + ETHERNET_BYTES + 4 * tags;
          const frame = tagged(most + more, tags);
          rig.far.send(frame, 0, frame.length);
          if (more > 0) dropped++;
        }
        rig.turn();
        replyInPlace(rig);
        equal(rig.sent().length, arrivals.length - dropped);
        deepEqual(refusalsOf(rig), {});
        const { counters, accounts, pages } = rig.service.counts();
        equal(counters["rx-too-large"] ?? 0, dropped);
        deepEqual(accounts[0]!.drops, {});
        deepEqual([pages.lent, pages.inFlight], [0, 0]);
      },
    ),
  );

  Deno.test(`whatever lengths the wire has, an honest holder is never cut off: ${name}`, () => {
    using rig = rigOf(way);
    for (let i = 0; i < STRIKES_MAX + 10; i += 32) {
      rig.driver.setFrameBytesMax(3840);
      for (let n = 0; n < 32; n++) {
        const frame = tagged([1518, 2000, 13, 9][n % 4]!, 0);
        rig.far.send(frame, 0, frame.length);
      }
      rig.turn();
      rig.driver.setFrameBytesMax(1514);
      replyInPlace(rig);
    }
    deepEqual(refusalsOf(rig), {});
    deepEqual(rig.cutOff, []);
  });
}
