/** Holders that fall behind, and what is under way when a driver service stops. */

import assert from "node:assert/strict";
import {
  inlineStride,
  STRING_BYTES,
  STRINGS_PER_HOLDER,
} from "../../../caps/port/records.ts";
import { runDriverService } from "../../../drivers/service/loop.ts";
import { ipv4 } from "../../../services/filter/grant/builder.ts";
import { witness } from "../../arbitraries/witness.ts";
import { type HolderPlan, Rig } from "./rig.ts";

const echo: HolderPlan = {
  receives: ipv4().udp().dstPort(7).grant,
  sends: ipv4().udp().srcPort(7).grant,
  quotaPages: 4,
  copyBytesMax: 128,
};

Deno.test("a holder that gives no byte string back gets nothing more, and that is counted", () => {
  using rig = new Rig([echo]);
  const frame = witness(echo.receives[0]!);
  const room = Math.floor(STRING_BYTES / inlineStride(frame!.length));
  const fitting = STRINGS_PER_HOLDER - 1 + room;
  for (let i = 0; i < fitting + 2; i++) {
    rig.far.send(frame!, 0, frame!.length);
    rig.turn();
  }
  const [account] = rig.service.counts().accounts;
  assert.equal(account!.deliveredPackets, fitting);
  assert.deepEqual(account!.drops, { "no-string": 2 });
});

Deno.test("packets that no byte string is there for cost the NIC no frames", () => {
  const frameCount = 64;
  using rig = new Rig([echo], frameCount);
  const short = witness(echo.receives[0]!);
  const long = new Uint8Array(1500);
  long.set(short);
  const packets = STRINGS_PER_HOLDER * STRING_BYTES /
    inlineStride(short.length);
  for (let i = 0; i < packets; i++) {
    rig.far.send(short, 0, short.length);
    rig.turn();
  }
  const [before] = rig.service.counts().accounts;
  for (let i = 0; i < 2 * frameCount; i++) {
    rig.far.send(long, 0, long.length);
    rig.turn();
  }
  const { accounts: [after], counters } = rig.service.counts();
  const pages = after!.deliveredPackets - before!.deliveredPackets;
  const dropped = after!.drops["no-string"]! -
    (before!.drops["no-string"] ?? 0);
  assert.equal(pages + dropped, 2 * frameCount);
  assert.equal(counters["rx-ring-full"], 0);
});

Deno.test("a holder that falls behind loses nothing: its last byte string gathers until another comes back", () => {
  using rig = new Rig([{ ...echo, quotaPages: 64 }], 256);
  const [holder] = rig.holders;
  const frame = witness(echo.receives[0]!);
  const packets = 3 * STRINGS_PER_HOLDER;
  for (let i = 0; i < packets; i++) {
    rig.far.send(frame!, 0, frame!.length);
    rig.turn();
  }
  const counts: number[] = [];
  for (let d = holder!.port.take(); d !== undefined; d = holder!.port.take()) {
    counts.push(d.count);
    if (counts.length === STRINGS_PER_HOLDER) break;
    holder!.port.post(d, [d.records, ...d.pages]);
    rig.turn();
  }
  assert.deepEqual(counts, [
    ...Array(STRINGS_PER_HOLDER - 1).fill(1),
    packets - STRINGS_PER_HOLDER + 1,
  ]);
  const [account] = rig.service.counts().accounts;
  assert.equal(account!.deliveredPackets, packets);
  assert.equal(account!.drops["no-string"], undefined);
});

Deno.test("what gathers for a holder is posted before its capability is over, and comes back when the holder is gone", () => {
  for (const end of ["revoke", "detach"] as const) {
    using rig = new Rig([{ ...echo, copyBytesMax: 0, quotaPages: 32 }]);
    const [holder] = rig.holders;
    const frame = witness(echo.receives[0]!);
    for (let i = 0; i < STRINGS_PER_HOLDER + 4; i++) {
      rig.far.send(frame!, 0, frame!.length);
      rig.turn();
    }
    if (end === "revoke") {
      rig.revoke(1);
      const counts = Array.from(
        { length: STRINGS_PER_HOLDER },
        () => holder!.port.take()!.count,
      );
      assert.equal(counts.at(-1), 5);
    } else {
      rig.service.detach(1);
      rig.turn();
      const { quarantined, free, total } = rig.service.counts().pages;
      assert.equal(quarantined, STRINGS_PER_HOLDER - 1);
      assert.equal(free, total - quarantined);
    }
  }
});

Deno.test("a service that is stopped takes back and sends what its holders had, and receives nothing more", async () => {
  using rig = new Rig([{ ...echo, copyBytesMax: 0 }]);
  const [holder] = rig.holders;
  const frame = witness(echo.receives[0]!);
  rig.far.send(frame!, 0, frame!.length);
  rig.turn();
  const delivery = holder!.port.take()!;
  const stop = new AbortController();
  const over = runDriverService(rig.service, {
    signal: stop.signal,
    onEnded: () => {},
    sameThread: true,
  });
  stop.abort();
  rig.far.send(frame!, 0, frame!.length);
  holder!.port.post(delivery, [delivery.records, ...delivery.pages]);
  await over;
  const { pages, receivedPackets } = rig.service.counts();
  assert.equal(pages.free, pages.total);
  assert.equal(receivedPackets, 1);
});
