/** What a driver service does when it is told to. */

import { deepEqual, equal } from "node:assert/strict";
import { TABLES_OFFSET } from "../../../caps/memory/memory.ts";
import { witness } from "../../arbitraries/witness.ts";
import { discard, echo } from "./plans.ts";
import { Rig } from "./rig.ts";

const request = witness(echo.receives[0]!);

function arrive(rig: Rig): void {
  rig.far.send(request, 0, request.length);
  rig.turn();
}

Deno.test("a patch changes the tables and nothing else, and is answered by its version", () => {
  using rig = new Rig([{ ...echo, copyBytesMax: 4096 }]);
  const wasm = Uint32Array.of(TABLES_OFFSET + 8, 0x5a5a5a5a);
  const quotas = [{ slot: 1, quotaPages: 3 }];
  rig.order({ kind: "patch", version: 7, opened: [], quotas, wasm });
  rig.turn();
  const view = new DataView(rig.memory.bytes.buffer);
  equal(view.getUint32(TABLES_OFFSET + 8, true), 0x5a5a5a5a);
  deepEqual(rig.reports.at(-1), { kind: "committed", version: 7 });
  arrive(rig);
  const { deliveredPackets, quotaPages } = rig.account(1)!;
  deepEqual([deliveredPackets, quotaPages], [1, 3]);
});

Deno.test("a quota is set at once, and not answered", () => {
  using rig = new Rig([{ ...echo, copyBytesMax: 0 }]);
  const before = rig.reports.length;
  rig.order({ kind: "quota", quotas: [{ slot: 1, quotaPages: 2 }] });
  for (let i = 0; i < 3; i++) arrive(rig);
  equal(rig.reports.length, before);
  const { heldPages, drops } = rig.account(1)!;
  deepEqual([heldPages, drops], [2, { "no-page": 1 }]);
});

Deno.test("many are revoked at once: those without pages have drained, and others not before their last is back", () => {
  using rig = new Rig([{ ...echo, copyBytesMax: 0 }, discard]);
  arrive(rig);
  const before = rig.reports.length;
  // The third is one that nobody here has heard of.
  const ended = Uint32Array.of(1, 0, 2, 0, 9, 0);
  rig.order({ kind: "revoke", id: 5, ended });
  rig.turn();
  deepEqual(rig.reports.slice(before), [
    { kind: "revoked", id: 5 },
    { kind: "drained", slots: Uint32Array.of(2, 9) },
  ]);
});

Deno.test("orders are work: a turn that took some says so", () => {
  using rig = new Rig([echo]);
  equal(rig.service.turn(), 0);
  for (let i = 0; i < 3; i++) rig.order({ kind: "quota", quotas: [] });
  equal(rig.service.turn(), 3);
  equal(rig.service.turn(), 0);
});

Deno.test("a NIC with little room in its ring is supplied again for what it received", () => {
  using rig = new Rig([echo]);
  const { driver } = rig;
  const [provide, receive] = [driver.provide, driver.receive];
  // It has 48 frames, and room for 8 from now on.
  let room = 8 - 48;
  driver.provide = (frames, count) => {
    const taken = provide.call(
      driver,
      frames,
      Math.min(count, Math.max(0, room)),
    );
    room -= taken;
    return taken;
  };
  driver.receive = (batch, max) => {
    const count = receive.call(driver, batch, max);
    room += count;
    return count;
  };
  const nobody = new Uint8Array(60);
  for (let i = 0; i < 200; i++) {
    rig.far.send(nobody, 0, nobody.length);
    rig.service.turn();
  }
  equal(rig.service.counts().receivedPackets, 200);
});

Deno.test("why a NIC refused its program is in the answer to the order that brought it", () => {
  using rig = new Rig([echo]);
  Object.assign(rig.driver, {
    classify: () => {
      throw new Error("no more today");
    },
  });
  const kernel = {
    instructions: new Uint8Array(8),
    maps: [],
    relocations: [],
  };
  const empty = { opened: [], quotas: [], wasm: new Uint32Array(0) };
  const kernelRefusal = "no more today";
  rig.commit([], [], kernel);
  deepEqual(rig.reports.at(-1), {
    kind: "committed",
    version: 1,
    kernelRefusal,
  });
  rig.order({ kind: "patch", version: 2, ...empty });
  rig.turn();
  deepEqual(rig.reports.at(-1), { kind: "committed", version: 2 });
});
