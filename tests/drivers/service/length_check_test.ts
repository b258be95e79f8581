import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import {
  type Batch,
  frameOffset,
  makePacketMemory,
  privateBatch,
} from "../../../caps/memory/memory.ts";
import { PageLedger } from "../../../caps/memory/page_ledger.ts";
import { GSO_TCP4, offloadWord } from "../../../caps/port/offload.ts";
import type { DriverInfo } from "../../../drivers/driver.ts";
import { LengthCheck } from "../../../drivers/service/length_check.ts";
import { testProperty } from "../../property.ts";

const WIRE_BYTES_MAX = 1514;
const FRAMES = 16;
const SUPER = offloadWord(2, GSO_TCP4, 1000);

const memory = makePacketMemory(FRAMES);

const info: DriverInfo = {
  name: "scripted",
  mode: "scripted",
  mac: new Uint8Array(6),
  frameBytesMax: WIRE_BYTES_MAX,
  partialChecksums: false,
};

/** What arrived: its length beyond what a wire takes, its tags, and whether it is several packets in one. */
const arrivals = fc.array(
  fc.record({
    more: fc.oneof(fc.constant(-100), fc.integer({ min: -2, max: 6 })),
    tags: fc.nat(1),
    isSuper: fc.boolean(),
  }),
  { maxLength: FRAMES },
);

/** What a batch says of packet `i`. */
function packetOf(batch: Batch, i: number) {
  const { offset, length, tagLow, tagHigh, offload } = batch;
  return [offset, length, tagLow, tagHigh, offload].map((array) => array[i]);
}

testProperty(
  "packets that are too long for the wire are left out, their frames are idle, and the others stay as they are, in order",
  { runs: 200, file: import.meta.url },
  fc.property(arrivals, (arrivals) => {
    const ledger = new PageLedger(FRAMES);
    const batch = privateBatch();
    arrivals.forEach(({ more, tags, isSuper }, i) => {
      const offset = frameOffset(ledger.takeIdle());
      memory.bytes.set([tags > 0 ? 0x81 : 8, 0, 0, 0, 8, 0], offset + 12);
      batch.offset[i] = offset;
      batch.length[i] = WIRE_BYTES_MAX + more;
      batch.tagLow[i] = 100 + i;
      batch.tagHigh[i] = 200 + i;
      batch.offload[i] = isSuper ? SUPER : i;
    });
    const kept = arrivals.flatMap(({ more, tags, isSuper }, i) =>
      more <= 4 * tags || isSuper ? [packetOf(batch, i)] : []
    );
    const check = new LengthCheck({ info, memory, ledger });
    equal(check.keep(batch, arrivals.length), kept.length);
    deepEqual(kept.map((_, i) => packetOf(batch, i)), kept);
    equal(check.tooLarge, arrivals.length - kept.length);
    equal(ledger.idleCount, FRAMES - kept.length);
  }),
);
