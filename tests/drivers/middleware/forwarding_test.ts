/** A driver behind a middleware is the same driver but for what the middleware is for. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { makePacketMemory, privateBatch } from "../../../caps/memory/memory.ts";
import type { CaptureOutput } from "../../../drivers/capture/file.ts";
import { makePcapWriter } from "../../../drivers/capture/writer.ts";
import type { Driver } from "../../../drivers/driver.ts";
import { CopiedPages } from "../../../drivers/kit/copied_pages.ts";
import { captureDriver } from "../../../drivers/middleware/capture.ts";
import { faultyDriver } from "../../../drivers/middleware/faults.ts";

const memory = makePacketMemory(64);
const output: CaptureOutput = {
  writer: makePcapWriter(() => {}),
  [Symbol.dispose]() {},
};

/** Every middleware, doing as little as it can. */
const MIDDLEWARE: Readonly<Record<string, (driver: Driver) => Driver>> = {
  capture: (driver) => captureDriver(driver, { memory, output }),
  faults: (driver) => faultyDriver(driver, { memory, seed: 1 }),
};

/** A driver that has all that one can have, at its end, and the names of its members that were used. */
function wholeDriver(): { driver: Driver; used: string[] } {
  const used: string[] = [];
  const use = <T>(name: string, value: T): T => {
    used.push(name);
    return value;
  };
  // A new member has to be named here, and forwarded by every middleware.
  const driver: Required<Driver> = {
    info: {
      name: "whole",
      mode: "none",
      mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
      frameBytesMax: 1514,
      partialChecksums: false,
    },
    pages: new CopiedPages(memory),
    provide: (_frames, count) => use("provide", count),
    receive: () => use("receive", 0),
    transmit: (_batch, count) => use("transmit", count),
    reclaim: () => use("reclaim", 0),
    wait: () => use("wait", Promise.resolve()),
    wake: () => use("wake", undefined),
    watch: () => use("watch", undefined),
    waitHere: () => use("waitHere", undefined),
    classify: () => use("classify", undefined),
    changeFlows: () => use("changeFlows", undefined),
    admit: () => use("admit", undefined),
    get ended() {
      return use("ended", true);
    },
    get warning() {
      return use("warning", "the cable was pulled out");
    },
    takeNotices: () => use("takeNotices", ["the cable is old"]),
    counters: () => use("counters", { pulled: 1 }),
    [Symbol.dispose]: () => use("dispose", undefined),
  };
  return { driver, used };
}

for (const [name, wrap] of Object.entries(MIDDLEWARE)) {
  Deno.test(`${name}: every call and every fact passes the middleware`, async () => {
    const { driver, used } = wholeDriver();
    const outer = wrap(driver);
    const batch = privateBatch();
    batch.offset[0] = 4096;
    batch.length[0] = 60;
    strictEqual(outer.info.name, "whole");
    deepStrictEqual(outer.info.mac, driver.info.mac);
    strictEqual(outer.pages, driver.pages);
    strictEqual(outer.provide(Uint32Array.of(0), 1), 1);
    strictEqual(outer.receive(batch, 1), 0);
    strictEqual(outer.transmit(batch, 1), 1);
    strictEqual(outer.reclaim(new Uint32Array(1)), 0);
    await outer.wait(0);
    outer.wake();
    outer.watch!([]);
    outer.waitHere!(0);
    outer.classify!({} as Parameters<NonNullable<Driver["classify"]>>[0]);
    outer.changeFlows!([]);
    outer.admit!({} as Parameters<NonNullable<Driver["admit"]>>[0]);
    strictEqual(outer.ended, true);
    strictEqual(outer.warning, "the cable was pulled out");
    deepStrictEqual(outer.takeNotices!(), ["the cable is old"]);
    strictEqual(outer.counters().pulled, 1);
    outer[Symbol.dispose]();
    const members = [
      ...["admit", "changeFlows", "classify", "counters", "dispose", "ended"],
      ...["provide", "receive", "reclaim", "takeNotices", "transmit"],
      ...["wait", "waitHere", "wake", "warning", "watch"],
    ];
    deepStrictEqual([...new Set(used)].sort(), members);
  });

  Deno.test(`${name}: what the NIC cannot do, the driver behind the middleware cannot either`, () => {
    const members = [
      ...["classify", "changeFlows", "admit", "watch", "waitHere"] as const,
    ];
    const { driver } = wholeDriver();
    for (const member of members) delete driver[member];
    const outer = wrap(driver);
    for (const member of members) strictEqual(outer[member], undefined);
  });
}

for (const [name, wrap] of Object.entries(MIDDLEWARE)) {
  Deno.test(`${name}: what of the NIC changes while it runs changes in front of it, too`, () => {
    const { driver } = wholeDriver();
    const outer = wrap(driver);
    strictEqual(outer.info.frameBytesMax, 1514);
    Object.assign(driver.info, { frameBytesMax: 9014 });
    strictEqual(outer.info.frameBytesMax, 9014);
  });
}
