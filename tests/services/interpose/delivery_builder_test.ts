import { deepEqual, equal } from "node:assert/strict";
import { PAGE_BYTES } from "../../../caps/memory/memory.ts";
import {
  RECORD_BYTES,
  RECORDS_MAX,
  RecordView,
  type Submission,
} from "../../../caps/port/records.ts";
import { DeliveryBuilder } from "../../../services/interpose/delivery_builder.ts";
import type { HeldFrame } from "../../../services/interpose/held_frames.ts";
import { StringPool } from "../../../services/interpose/string_pool.ts";
import { packetsIn } from "./layer_rig.ts";

/** A held frame that lies in a page, or in its record. */
function held(number: number, inPage: boolean): HeldFrame {
  const record = inPage
    ? new RecordView(new ArrayBuffer(RECORD_BYTES))
    : new RecordView(new ArrayBuffer(RECORD_BYTES + 64));
  if (inPage) record.putPage(0, 60, number, 0, 9);
  else record.putInline(0, 64);
  return {
    due: 0,
    capability: BigInt(number % 3),
    record: record.bytes,
    page: inPage ? new ArrayBuffer(PAGE_BYTES) : undefined,
  };
}

function numbersIn(message: Submission | undefined): number[] {
  const packets = packetsIn(message!);
  for (const { capability, number, length, inPage } of packets) {
    deepEqual([capability, length, inPage], [BigInt(number % 3), 0, true]);
  }
  equal(message!.pages.length, packets.length);
  equal(message!.capabilities.length, Math.min(3, packets.length));
  return packets.map(({ number }) => number);
}

Deno.test("pages go back in as many messages as their records take, each with its own pages and capabilities", () => {
  const pool = new StringPool();
  const builder = new DeliveryBuilder(pool);
  equal(builder.take(), undefined);
  equal(builder.addReturn(held(1, false)), true);
  // What lies in its record has nothing to go back.
  equal(builder.take(), undefined);
  equal(pool.out, 0);
  const numbers = Array.from({ length: RECORDS_MAX + 2 }, (_, i) => i);
  for (const number of numbers.slice(0, RECORDS_MAX)) {
    equal(builder.addReturn(held(number, true)), true);
    equal(builder.addReturn(held(number, false)), true);
  }
  equal(builder.addReturn(held(RECORDS_MAX, true)), false);
  deepEqual(numbersIn(builder.take()), numbers.slice(0, RECORDS_MAX));
  for (const number of numbers.slice(RECORDS_MAX)) {
    equal(builder.addReturn(held(number, true)), true);
  }
  deepEqual(numbersIn(builder.take()), numbers.slice(RECORDS_MAX));
  equal(pool.out, 2);
});
