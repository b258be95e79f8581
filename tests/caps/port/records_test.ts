import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { RecordWalk } from "../../../caps/port/record_walk.ts";
import { RecordWriter } from "../../../caps/port/record_writer.ts";
import {
  INLINE,
  inlineStride,
  RECORD_BYTES,
  RECORDS_MAX,
  RecordView,
  STRING_BYTES,
} from "../../../caps/port/records.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;

const offload = fc.oneof(fc.constant(0), fc.nat({ max: 0xffff_ffff }));

const capability = fc.nat({ max: RECORDS_MAX - 1 });

/** A packet in the string, by its bytes; or one in a page. */
const packet = fc.oneof(
  fc.record({
    capability,
    bytes: fc.uint8Array({ maxLength: 2000 }),
    offload,
  }, { noNullPrototype: true }),
  fc.record({
    capability,
    length: fc.nat({ max: 0xffff_ffff }),
    frame: fc.nat({ max: 0xffff_ffff }),
    start: fc.nat({ max: 0xffff }),
    page: fc.nat({ max: INLINE - 1 }),
    offload,
  }, { noNullPrototype: true }),
);

/** A string with rubbish of an earlier use in it. */
function usedString(): ArrayBuffer {
  const string = new ArrayBuffer(STRING_BYTES);
  new Uint8Array(string).fill(0xee);
  return string;
}

testProperty(
  "what a writer puts into a string, a walk finds there, in order, and nothing else",
  { runs: 200, file },
  fc.property(fc.array(packet, { maxLength: 60 }), (packets) => {
    const writer = new RecordWriter();
    writer.begin(usedString());
    const written: typeof packets = [];
    for (const one of packets) {
      const sizeBytes = "bytes" in one
        ? inlineStride(one.bytes.length)
        : RECORD_BYTES;
      strictEqual(
        writer.fits(sizeBytes),
        writer.at + sizeBytes <= STRING_BYTES,
      );
      if (!writer.fits(sizeBytes)) break;
      if ("bytes" in one) {
        const at = writer.addInline(
          one.capability,
          one.bytes.length,
          one.offload,
        );
        writer.view!.bytes.set(one.bytes, at + RECORD_BYTES);
      } else {
        const { capability, length, frame, start, page } = one;
        writer.addPage(capability, length, frame, start, page, one.offload);
      }
      written.push(one);
    }
    const { records, count } = writer.take();
    strictEqual(writer.fits(0), false);
    const walk = new RecordWalk(records, count);
    const { view } = walk;
    const found: typeof packets = [];
    while (walk.next()) {
      const { at } = walk;
      const start = view.start(at);
      const length = view.length(at);
      const capability = view.capability(at);
      found.push(
        view.page(at) === INLINE
          ? {
            capability,
            bytes: view.bytes.slice(at + start, at + start + length),
            offload: view.offload(at),
          }
          : {
            capability,
            length,
            frame: view.frame(at),
            start,
            page: view.page(at),
            offload: view.offload(at),
          },
      );
    }
    deepStrictEqual(found, written);
  }),
);

testProperty(
  "a record is copied to another string as it is",
  { runs: 100, file },
  fc.property(
    fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 9 }),
    (packets) => {
      const first = new RecordWriter();
      first.begin(usedString());
      for (const bytes of packets) {
        const at = first.addInline(1, bytes.length, bytes.length);
        first.view!.bytes.fill(0, at + RECORD_BYTES, first.at);
        first.view!.bytes.set(bytes, at + RECORD_BYTES);
      }
      const { records, count } = first.take();
      const second = new RecordWriter();
      second.begin(usedString());
      const walk = new RecordWalk(records, count);
      while (walk.next()) {
        const record = walk.view.bytes.slice(walk.at, walk.end);
        strictEqual(second.addRecord(1, record), walk.at);
      }
      const copied = second.take();
      deepStrictEqual(copied.records, records);
      strictEqual(copied.count, count);
    },
  ),
);

Deno.test("a walk comes to a record that ends where the string does, and to none behind it", () => {
  const string = new ArrayBuffer(STRING_BYTES);
  const view = new RecordView(string);
  const last = STRING_BYTES - RECORD_BYTES;
  strictEqual(view.putInline(0, last - RECORD_BYTES, 0), last);
  strictEqual(view.putInline(last, 0, 0), STRING_BYTES);
  const walk = new RecordWalk(string, 3);
  const seen: number[] = [];
  while (walk.next()) seen.push(walk.at);
  deepStrictEqual(seen, [0, last]);
});

/** Whatever a holder may have written: strides that are none among it. */
const strides = fc.array(
  fc.oneof(fc.constantFrom(0, 8, 16, 24, 32, 65528), fc.nat({ max: 0xffff })),
  { minLength: 1, maxLength: 50 },
);

testProperty(
  "a walk stays in the string and in the count, whatever lies there, and emptyAll() ends where it does",
  { runs: 300, file },
  fc.property(
    strides,
    fc.nat({ max: RECORDS_MAX }),
    (list, count) => {
      const string = new ArrayBuffer(STRING_BYTES);
      const halves = new Uint16Array(string);
      for (let i = 0; i < halves.length; i++) {
        halves[i] = list[i % list.length]!;
      }
      const before = string.slice(0);
      const walk = new RecordWalk(string, count);
      const seen: number[] = [];
      for (let end = 0; walk.next(); end = walk.end) {
        strictEqual(walk.at, end);
        ok(walk.end - walk.at >= RECORD_BYTES && walk.end % 8 === 0);
        ok(walk.end <= STRING_BYTES);
        seen.push(walk.at);
      }
      ok(seen.length <= count);
      walk.emptyAll();
      const expected = new RecordView(before);
      for (const at of seen) expected.setLength(at, 0);
      deepStrictEqual(new Uint8Array(string), expected.bytes);
    },
  ),
);
