/** A relay between a driver and a holder elsewhere, both played by the test. */

import { deepEqual, equal, ok } from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { EXTENT_BYTES, PAGE_BYTES } from "../../../caps/memory/memory.ts";
import {
  ARRIVAL_TURNS,
  fromMessagePort,
  makePipe,
  type Port,
  takeAll,
} from "../../../caps/port/port.ts";
import {
  type Delivery,
  IN_FLIGHT_MAX,
  postRecords,
  STRING_BYTES,
  type Submission,
} from "../../../caps/port/records.ts";
import { takeNow } from "../../../drivers/service/start.ts";
import type { Interposer } from "../../../services/interpose/interposer.ts";
import { Relay } from "../../../services/interpose/relay.ts";
import { messageOf, type Packet, packetsIn, Says } from "./layer_rig.ts";

const PACKET: Packet = { capability: 5n, number: 1, length: 60, inPage: true };

class RelayRig implements Disposable {
  readonly driver: Port<Delivery, Submission>;
  readonly holder: Port<unknown, Delivery>;
  readonly relay: Relay;
  floods = 0;

  constructor(interposer: Interposer = new Says(() => "pass")) {
    const [driver, end] = makePipe<Delivery, Submission>();
    this.driver = driver;
    this.relay = new Relay(end, [interposer], {
      takeNow,
      onFlood: () => this.floods++,
    });
    this.holder = fromMessagePort(this.relay.holder, { takeNow });
  }

  /** What the driver has got, when all has arrived. */
  async got(): Promise<Submission[]> {
    for (let i = 0; i < 2 * ARRIVAL_TURNS; i++) await setImmediate();
    return [...takeAll(this.driver)];
  }

  [Symbol.dispose](): void {
    this.relay[Symbol.dispose]();
    this.holder[Symbol.dispose]();
  }
}

for (
  const [how, post] of [
    ["at once", () => {}],
    ["one after the other", () => setImmediate()],
  ] as const
) {
  Deno.test(`a holder may have as many messages under way as it has strings, sent ${how}`, async () => {
    using rig = new RelayRig();
    for (let number = 0; number < IN_FLIGHT_MAX; number++) {
      rig.holder.post(messageOf([{ ...PACKET, number, inPage: false }]));
      await post();
    }
    equal((await rig.got()).length, IN_FLIGHT_MAX);
    equal(rig.floods, 0);
  });
}

Deno.test("a holder with one message more under way than it has strings is cut off once, and nothing goes to it or comes from it any more", async () => {
  using rig = new RelayRig();
  for (let number = 0; number < IN_FLIGHT_MAX + 5; number++) {
    rig.holder.post(messageOf([{ ...PACKET, number, inPage: false }]));
  }
  const got = await rig.got();
  ok(got.length <= IN_FLIGHT_MAX, `${got.length}`);
  equal(rig.floods, 1);
  rig.holder.post(messageOf([PACKET]));
  postRecords(rig.driver, messageOf([PACKET]));
  deepEqual(await rig.got(), []);
  equal(rig.holder.take(), undefined);
  // What was for it goes back to the driver, at the latest when it is gone.
  rig.relay.giveBack();
  const [back, ...more] = await rig.got();
  deepEqual(packetsIn(back!).map(({ number }) => number), [PACKET.number]);
  deepEqual(more, []);
  equal(rig.floods, 1);
});

Deno.test("of a submission only what the driver looks at goes on, each buffer once", async () => {
  using rig = new RelayRig();
  const records = new ArrayBuffer(STRING_BYTES);
  const page = new ArrayBuffer(PAGE_BYTES);
  const extent = new ArrayBuffer(EXTENT_BYTES);
  const { port1, port2 } = new MessageChannel();
  const odd = [new ArrayBuffer(9), new SharedArrayBuffer(PAGE_BYTES), "x"];
  rig.holder.post({
    capabilities: [7n, 8, "9", port1],
    records,
    count: 0,
    pages: [page, ...odd, extent, page],
    more: odd,
  }, [records, page, extent, port1]);
  const [got, ...others] = await rig.got();
  deepEqual(others, []);
  deepEqual(Object.keys(got!).sort(), [
    ...["capabilities", "count", "pages", "records"],
  ]);
  deepEqual(got!.capabilities, [7n, 0n, 0n, 0n]);
  deepEqual(got!.pages.map((one) => one?.byteLength), [
    ...[PAGE_BYTES, undefined, undefined, undefined, EXTENT_BYTES, PAGE_BYTES],
  ]);
  equal(got!.pages[0], got!.pages[5]);
  port2.close();
});

Deno.test("what is no submission goes on as nothing, which the driver refuses", async () => {
  using rig = new RelayRig();
  const garbage = [7, "x", {}, [], { records: new ArrayBuffer(8) }];
  for (const one of garbage) rig.holder.post(one);
  deepEqual(await rig.got(), garbage.map(() => null));
});

Deno.test("what a relay holds, and what has come to it, goes back to the driver when it ends", async () => {
  using rig = new RelayRig(new Says((now) => now + 1e9));
  postRecords(rig.driver, messageOf([PACKET]));
  await rig.got();
  const late = { ...PACKET, number: 2, length: 0 };
  rig.holder.post(messageOf([late]));
  rig.relay[Symbol.dispose]();
  const pages = (await rig.got()).flatMap(packetsIn);
  ok(pages.every(({ length }) => length === 0));
  deepEqual(pages.map(({ number }) => number).sort(), [1, 2]);
  equal(rig.driver.closed, true);
  for (let i = 0; i < ARRIVAL_TURNS; i++) await setImmediate();
  equal(rig.holder.take(), undefined);
});

Deno.test("a relay in a hurry lets what it holds go on to the holder at once", async () => {
  using rig = new RelayRig(new Says((now) => now + 1e9));
  postRecords(rig.driver, messageOf([PACKET]));
  await rig.got();
  equal(rig.holder.take(), undefined);
  rig.relay.hurry();
  for (let i = 0; i < ARRIVAL_TURNS; i++) await setImmediate();
  deepEqual(packetsIn(rig.holder.take()!), [PACKET]);
});
