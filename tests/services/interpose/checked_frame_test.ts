import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { EXTENT_BYTES, PAGE_BYTES } from "../../../caps/memory/memory.ts";
import {
  INLINE,
  RECORD_BYTES,
  RecordView,
  STRING_BYTES,
} from "../../../caps/port/records.ts";
import { CheckedFrame } from "../../../services/interpose/checked_frame.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;
const PAGES: readonly unknown[] = [
  new ArrayBuffer(PAGE_BYTES),
  new ArrayBuffer(EXTENT_BYTES),
  new ArrayBuffer(PAGE_BYTES - 1),
  undefined,
  "page",
];

/** Where a packet lies, from its room's first byte on, and how far it is from the room's end. */
const places = fc.record({
  page: fc.constantFrom(INLINE, INLINE, 0, 0, 1, 2, 3, 4, 5),
  before: fc.constantFrom(-1, 0, 0, 0, 1, 50),
  behind: fc.constantFrom(-1, 0, 0, 1, 7),
  roomBytes: fc.integer({ min: 13, max: 80 }),
});

const AT = 64;

testProperty(
  "a record's packet is shown where it lies in its room and is long enough, and only there",
  { runs: 1000, file },
  fc.property(places, ({ page, before, behind, roomBytes }) => {
    const view = new RecordView(new ArrayBuffer(STRING_BYTES));
    const buffer = PAGES[page];
    const isPage = page === 0 || page === 1;
    const isInline = page === INLINE;
    const first = isInline ? RECORD_BYTES : 0;
    const room = buffer instanceof ArrayBuffer
      ? buffer.byteLength
      : Math.ceil(roomBytes / 8) * 8;
    const start = first + before;
    const length = room - before - behind;
    if (start < 0 || length < 0) return;
    view.putInline(AT, room);
    view.setPage(AT, page);
    view.setStart(AT, start);
    view.setLength(AT, length);
    const checked = new CheckedFrame();
    const fits = before >= 0 && behind >= 0 && length >= 14;
    equal(checked.show(view, AT, PAGES), (isInline || isPage) && fits);
    if (!(isInline || isPage) || !fits) return;
    const { frame } = checked;
    equal(frame.bytes.buffer, isInline ? view.bytes.buffer : buffer);
    equal(frame.start, isInline ? AT + start : start);
    equal(frame.length, length);
  }),
);

testProperty(
  "a frame may be moved anywhere in its room, and is not kept where it leaves it or is not whole",
  { runs: 1000, file },
  fc.property(
    fc.constantFrom(INLINE, 0, 1),
    fc.constantFrom(-1, 0, 1, 20, 0.5, NaN, Infinity, -Infinity),
    fc.oneof(
      fc.constantFrom(13, 14, 0, -14, 14.5, NaN, Infinity),
      fc.integer({ min: -2, max: 2 }).map((by) => ({ by })),
    ),
    (page, before, wanted) => {
      const view = new RecordView(new ArrayBuffer(STRING_BYTES));
      const isInline = page === INLINE;
      const room = isInline ? 160 : (PAGES[page] as ArrayBuffer).byteLength;
      const first = isInline ? AT + RECORD_BYTES : 0;
      view.putInline(AT, room);
      view.setPage(AT, page);
      view.setStart(AT, isInline ? RECORD_BYTES : 0);
      view.setLength(AT, 100);
      const checked = new CheckedFrame();
      equal(checked.show(view, AT, PAGES), true);
      const length = typeof wanted === "number"
        ? wanted
        : room - before + wanted.by;
      checked.frame.start = first + before;
      checked.frame.length = length;
      const isWhole = Number.isInteger(before) && Number.isInteger(length);
      const fits = isWhole && before >= 0 && length >= 14 &&
        before + length <= room;
      equal(checked.keep(view, AT), fits);
      const was = isInline ? RECORD_BYTES : 0;
      deepEqual(
        [view.start(AT), view.length(AT)],
        fits ? [was + before, length] : [was, 100],
      );
    },
  ),
);
