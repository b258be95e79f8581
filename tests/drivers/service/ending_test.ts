/** What becomes of packets and pages when capabilities and holders end. */

import assert from "node:assert/strict";
import { RIGHT_RECEIVE } from "../../../caps/kernel/rights.ts";
import { RecordView } from "../../../caps/port/records.ts";
import { ipv4 } from "../../../services/filter/grant/builder.ts";
import { witness } from "../../arbitraries/witness.ts";
import { discard, echo } from "./plans.ts";
import { type HolderPlan, Rig } from "./rig.ts";

/** One holder for each port, with packets small enough for copies. */
function plansFor(ports: readonly number[]): HolderPlan[] {
  return ports.map((port) => ({
    ...discard,
    copyBytesMax: 4096,
    receives: ipv4().udp().dstPort(port).grant,
  }));
}

/** Who gets a packet of the holder `id`'s; 0 for nobody. */
function ownerOf(rig: Rig, id: number): number {
  const frame = witness(rig.holders[id - 1]!.receives[0]!);
  rig.far.send(frame, 0, frame.length);
  rig.turn();
  const found = rig.holders.filter(({ port }) => {
    const delivery = port.take();
    if (delivery === undefined) return false;
    const { capabilities, records } = delivery;
    port.post({ capabilities, records, count: 0, pages: [] }, [records]);
    return true;
  });
  assert.ok(found.length <= 1);
  return found[0]?.id ?? 0;
}

Deno.test("after a chain of revocations packets go to the first heir that lives, before any new classifier", () => {
  using rig = new Rig(plansFor([7, 8, 9, 10]));
  assert.equal(ownerOf(rig, 4), 4);
  // Each was derived from the one before: the last of all ends first.
  for (const id of [4, 3, 2]) {
    rig.revoke(id, id - 1);
    assert.equal(ownerOf(rig, 4), id - 1);
  }
  rig.revoke(1);
  assert.equal(ownerOf(rig, 4), 0);
});

Deno.test("an observer that was revoked sees nothing more, before any new classifier", () => {
  const [owner] = plansFor([7]);
  const observer = { ...owner!, observes: true };
  using rig = new Rig([owner!, observer]);
  const frame = witness(owner!.receives[0]!);
  const seen = () => {
    rig.far.send(frame, 0, frame.length);
    rig.turn();
    return rig.holders.map(({ port }) => port.take()?.count ?? 0);
  };
  assert.deepEqual(seen(), [1, 1]);
  rig.revoke(2, 1);
  assert.deepEqual(seen(), [1, 0]);
});

Deno.test("a capability whose holder was detached before it was opened leaves its packets to its parent", () => {
  using rig = new Rig(plansFor([7, 8, 9]));
  // Another one's, of which nothing is left but the slot.
  rig.revoke(2, 3);
  rig.service.detach(2);
  rig.commit([{
    slot: 2,
    tagLow: 5,
    tagHigh: 5,
    port: 2,
    parent: 1,
    rights: RIGHT_RECEIVE,
    quotaPages: 0,
    copyBytesMax: 4096,
  }], [2]);
  assert.equal(ownerOf(rig, 2), 1);
  rig.revoke(2, 1);
  assert.equal(ownerOf(rig, 2), 1);
  rig.revoke(1);
  assert.equal(ownerOf(rig, 2), 0);
});

Deno.test("the heir of a revoked capability stays when a later one with its slot is revoked before it was opened", () => {
  using rig = new Rig(plansFor([7, 8, 9]));
  rig.revoke(3, 1);
  rig.revoke(3, 2);
  assert.equal(ownerOf(rig, 3), 1);
});

Deno.test("what a holder gave back before it was detached is not lost with it", () => {
  using rig = new Rig([{ ...echo, copyBytesMax: 0 }]);
  const [holder] = rig.holders;
  const frame = witness(echo.receives[0]!);
  rig.far.send(frame, 0, frame.length);
  rig.turn();
  const delivery = holder!.port.take()!;
  assert.equal(rig.service.counts().pages.lent, 1);
  new RecordView(delivery.records).setLength(0, 0);
  holder!.port.post(delivery, [delivery.records, ...delivery.pages]);
  rig.service.detach(1);
  const { lent, quarantined } = rig.service.counts().pages;
  assert.deepEqual([lent, quarantined], [0, 0]);
});
