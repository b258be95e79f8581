/** What becomes of packets and pages when capabilities and holders end. */

import assert from "node:assert/strict";
import { RecordView } from "../../../caps/port/records.ts";
import { ipv4 } from "../../../services/filter/grant/builder.ts";
import { witness } from "../../arbitraries/witness.ts";
import { discard, echo } from "./plans.ts";
import { Rig } from "./rig.ts";

Deno.test("after a chain of revocations packets go to the first heir that lives, before any new classifier", () => {
  const plan = { ...discard, copyBytesMax: 4096 };
  const plans = [7, 8, 9, 10].map((port) => ({
    ...plan,
    receives: ipv4().udp().dstPort(port).grant,
  }));
  using rig = new Rig(plans);
  const frame = witness(plans[3]!.receives[0]!);
  /** Who gets the packet; 0 for nobody. */
  const owner = () => {
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
  };
  assert.equal(owner(), 4);
  // Each was derived from the one before: the last of all ends first.
  for (const id of [4, 3, 2]) {
    rig.revoke(id, id - 1);
    assert.equal(owner(), id - 1);
  }
  rig.revoke(1);
  assert.equal(owner(), 0);
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
