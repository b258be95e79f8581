import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import {
  BATCH_ARRAY_BYTES,
  batchAt,
  makePacketMemory,
  RECEIVE_BATCH_OFFSET,
  SEND_BATCH_OFFSET,
  TABLES_OFFSET,
} from "../../../caps/memory/memory.ts";
import {
  CHECKSUM_COMPLETE,
  CHECKSUM_MAY_BE_PARTIAL,
  CHECKSUM_PARTIAL,
  checksumOf,
  GSO_TCP4,
  gsoOf,
  mayBePartial,
  offloadWord,
  segmentBytesOf,
} from "../../../caps/port/offload.ts";
import { RecordView, STRING_BYTES } from "../../../caps/port/records.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;
const byte = fc.integer({ min: 0, max: 255 });
const half = fc.integer({ min: 0, max: 65535 });

testProperty(
  "what is known of checksum and segmentation goes through a record unchanged",
  { runs: 200, file },
  fc.property(
    byte,
    byte,
    half,
    fc.nat(2000),
    (checksum, gso, size, length) => {
      const view = new RecordView(new ArrayBuffer(STRING_BYTES));
      view.bytes.fill(0xff);
      const next = view.putInline(0, length);
      equal(view.offload(0), 0, "a record begins without any");
      const word = offloadWord(checksum, gso, size);
      view.setOffload(0, word);
      deepEqual(
        [checksumOf(word), gsoOf(word), segmentBytesOf(word)],
        [checksum, gso, size],
      );
      equal(view.offload(0), word);
      equal(view.checksum(0), checksum);
      deepEqual([view.length(0), view.stride(0)], [length, next]);
    },
  ),
);

Deno.test("a checksum may be partial unless it is said to be complete", () => {
  const kinds = [CHECKSUM_COMPLETE, CHECKSUM_MAY_BE_PARTIAL, CHECKSUM_PARTIAL];
  deepEqual(
    kinds.map((kind) => mayBePartial(offloadWord(kind, GSO_TCP4, 1000))),
    [false, true, true],
  );
});

Deno.test("the arrays of the batches lie side by side, and none over another", () => {
  const memory = makePacketMemory(16);
  const places = [RECEIVE_BATCH_OFFSET, SEND_BATCH_OFFSET].flatMap((at) => {
    const { address, ...arrays } = batchAt(memory, at);
    equal(address, at);
    return Object.values(arrays).map(({ byteOffset }) => byteOffset);
  });
  const inOrder = places.toSorted((a, b) => a - b);
  deepEqual(places, inOrder);
  for (const [i, place] of inOrder.entries()) {
    const end = inOrder[i + 1] ?? TABLES_OFFSET;
    equal(place + BATCH_ARRAY_BYTES <= end, true, `${place} to ${end}`);
  }
});
