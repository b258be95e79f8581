/** Pages side by side, which cross as one buffer, on their way back. */

import assert from "node:assert/strict";
import {
  type Delivery,
  RecordView,
  RUN_PAGES_MAX,
  STRING_BYTES,
} from "../../../caps/port/records.ts";
import { witness } from "../../arbitraries/witness.ts";
import { discard } from "./plans.ts";
import { Rig } from "./rig.ts";

Deno.test("pages that come back in a run are used again, whether a record names them or not", () => {
  const plan = { ...discard, quotaPages: 8 };
  using rig = new Rig([plan], 64, RUN_PAGES_MAX);
  const holder = rig.holders[0]!;
  const frame = witness(discard.receives[0]!);
  for (let round = 0; round < 64; round++) {
    for (let i = 0; i < 4; i++) rig.far.send(frame, 0, frame.length);
    rig.turn();
    const delivery = holder.port.take()!;
    assert.equal(delivery.count, 4);
    // One record for each run: that of its first page.
    const view = new RecordView(new ArrayBuffer(STRING_BYTES));
    const firsts = delivery.pages.map((_, page) => runStart(delivery, page));
    let at = 0;
    for (const [page, frame] of firsts.entries()) {
      at = view.putPage(at, 0, frame, 0, page);
    }
    const { capabilities, pages } = delivery;
    const records = view.bytes.buffer;
    holder.port.post({ capabilities, records, count: firsts.length, pages }, [
      records,
      ...pages,
    ]);
    rig.turn();
    assert.equal(rig.service.counts().pages.lent, 0);
  }
  // Half of all frames are surely the NIC's.
  for (let i = 0; i < 32; i++) rig.far.send(frame, 0, frame.length);
  rig.turn();
  assert.equal(rig.service.counts().counters["rx-ring-full"], 0);
});

/** The frame that begins the run which goes as this buffer. */
function runStart({ records, count }: Delivery, page: number): number {
  const view = new RecordView(records);
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (view.page(at) === page) return view.frame(at);
    at += view.stride(at);
  }
  assert.fail("no record names the buffer");
}
