/** What is read from holders' ports. */

import { deepEqual, equal } from "node:assert/strict";
import { RecordView, STRING_BYTES } from "../../../caps/port/records.ts";
import { DOORBELL } from "../../../caps/port/trusted_ring.ts";
import { MESSAGES_PER_TURN } from "../../../drivers/service/holder.ts";
import { witness } from "../../arbitraries/witness.ts";
import { echo } from "./plans.ts";
import { Rig, type TestHolder } from "./rig.ts";

const reply = witness(echo.sends[0]!);

/** Sends one frame by a message. */
function send({ port, capability }: TestHolder): void {
  const view = new RecordView(new ArrayBuffer(STRING_BYTES));
  view.bytes.set(reply, 24);
  view.putInline(0, reply.length);
  const { bytes: { buffer: records } } = view;
  const capabilities = [capability];
  port.post({ capabilities, records, count: 1, pages: [] }, [records]);
}

Deno.test("a doorbell is a trusted holder's to ring, and a message that makes no sense from others", () => {
  for (const trusted of [true, false]) {
    using rig = new Rig([{ ...echo, trusted }]);
    const [holder] = rig.holders;
    holder!.port.post(DOORBELL);
    rig.turn();
    const [refused] = rig.service.counts().refusals;
    deepEqual(refused!.refusals, trusted ? {} : { malformed: 1 });
    // What is no doorbell is read, whoever sends it.
    send(holder!);
    rig.turn();
    equal(rig.sent().length, 1);
  }
});

Deno.test("so many messages are taken in a turn, and the others in the next", () => {
  using rig = new Rig([{ ...echo, quotaPages: 48, inFlightMax: 200 }], 256);
  const [holder] = rig.holders;
  for (let i = 0; i < MESSAGES_PER_TURN + 1; i++) send(holder!);
  equal(rig.service.turn(), MESSAGES_PER_TURN);
  equal(rig.sent().length, MESSAGES_PER_TURN);
  rig.turn();
  equal(rig.sent().length, 1);
});
