/** Holders come, and a driver service sleeps and is woken. */

import { delay } from "@std/async/delay";
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { makePipe } from "../../../caps/port/port.ts";
import {
  type Delivery,
  RecordView,
  STRINGS_PER_HOLDER,
} from "../../../caps/port/records.ts";
import { witness } from "../../arbitraries/witness.ts";
import { discard, echo } from "./plans.ts";
import { Rig } from "./rig.ts";

const request = witness(echo.receives[0]!);

function arrive(rig: Rig): void {
  rig.far.send(request, 0, request.length);
  rig.turn();
}

/** Gives a delivery back; nothing of it is to be sent. */
function giveBack(rig: Rig, delivery: Delivery): void {
  new RecordView(delivery.records).setLength(0, 0);
  const { port } = rig.holders[0]!;
  port.post(delivery, [delivery.records, ...delivery.pages]);
  rig.turn();
}

Deno.test("a port is attached once, and another time after it was detached", () => {
  using rig = new Rig([echo, discard]);
  const attach = () => {
    const [, forDriver] = makePipe<unknown, Delivery>();
    rig.service.attach(1, forDriver);
  };
  throws(attach, /port 1 is attached already/);
  rig.service.detach(1);
  ok(rig.holders[0]!.port.closed);
  ok(!rig.holders[1]!.port.closed);
  attach();
  rig.service.detach(99);
  deepEqual(rig.service.counts().refusals.map(({ port }) => port), [2, 1]);
});

Deno.test("a service is quiet when every holder has answered, and what they sent is out", () => {
  for (const copyBytesMax of [0, 128]) {
    using rig = new Rig([{ ...echo, copyBytesMax, quotaPages: 32 }]);
    equal(rig.service.quiet, true);
    const { port } = rig.holders[0]!;
    for (let i = 0; i < STRINGS_PER_HOLDER - 1; i++) arrive(rig);
    for (let i = 1; i < STRINGS_PER_HOLDER; i++) {
      equal(rig.service.quiet, false, `${i}`);
      giveBack(rig, port.take()!);
    }
    equal(rig.service.quiet, true);
    rig.driver.stalled = true;
    arrive(rig);
    const delivery = port.take()!;
    const view = new RecordView(delivery.records);
    const bytes = copyBytesMax === 0
      ? new Uint8Array(delivery.pages[0]!)
      : view.bytes;
    bytes.set(witness(echo.sends[0]!), view.start(0));
    port.post(delivery, [delivery.records, ...delivery.pages]);
    rig.turn();
    equal(rig.service.quiet, false, "a frame is in flight");
    rig.driver.stalled = false;
    rig.turn();
    equal(rig.service.quiet, true);
  }
});

Deno.test("a service that was told to stop receives nothing, and goes on where it was", () => {
  using rig = new Rig([echo]);
  rig.service.stopReceiving();
  for (let i = 0; i < 3; i++) arrive(rig);
  equal(rig.service.counts().receivedPackets, 0);
  rig.service.startReceiving();
  rig.turn();
  const { receivedPackets, receivedBytes } = rig.service.counts();
  deepEqual([receivedPackets, receivedBytes], [3, 3 * request.length]);
});

const reasons: Readonly<Record<string, (rig: Rig) => void>> = {
  "an order comes": (rig) => rig.order({ kind: "quota", quotas: [] }),
  "a holder sends": ({ holders: [holder] }) => holder!.port.post(7),
  "a packet arrives": ({ far }) => far.send(request, 0, request.length),
  "a holder comes": ({ service }) => {
    const [, forDriver] = makePipe<unknown, Delivery>();
    service.attach(7, forDriver);
  },
  "it is to receive": ({ service }) => service.startReceiving(),
  "it is woken": ({ service }) => service.wake(),
};

for (const [reason, happen] of Object.entries(reasons)) {
  Deno.test(`a service that sleeps wakes when ${reason}`, async () => {
    using rig = new Rig([echo]);
    // What happened before may still wake it.
    await rig.service.wait(1);
    let isAsleep = true;
    const sleep = rig.service.wait(2 ** 30).then(() => isAsleep = false);
    await delay(2);
    ok(isAsleep, "it woke by itself");
    happen(rig);
    await sleep;
  });
}

Deno.test("a service that ends closes its NIC and every port", () => {
  const rig = new Rig([echo, discard]);
  const { holders, far } = rig;
  rig[Symbol.dispose]();
  ok(holders.every(({ port }) => port.closed));
  ok(far.ended);
});

Deno.test("what the NIC tells of its network and its troubles is passed on", () => {
  using rig = new Rig([echo]);
  equal("netmask" in rig.service.counts(), false);
  deepEqual(rig.service.takeNotices(), []);
  Object.assign(rig.driver.info, { netmask: 0xffffff00 });
  const notices = ["slow"];
  Object.assign(rig.driver, { takeNotices: () => notices.splice(0) });
  equal(rig.service.counts().netmask, 0xffffff00);
  deepEqual(rig.service.takeNotices(), ["slow"]);
  deepEqual(rig.service.takeNotices(), []);
  equal(rig.service.ended, false);
  rig.far[Symbol.dispose]();
  equal(rig.service.ended, true);
  equal(rig.service.counts().ended, true);
});
