import { equal, ok } from "node:assert/strict";
import { EXTENT_BYTES, PAGE_BYTES } from "../../../caps/memory/memory.ts";
import {
  RECORD_BYTES,
  RECORDS_MAX,
  roomInPage,
  STRING_BYTES,
} from "../../../caps/port/records.ts";
import { isSubmission, nextRecord } from "../../../caps/port/submission.ts";

Deno.test("a submission has a byte string, and a count and lists that fit one", () => {
  const form = {
    capabilities: [],
    records: new ArrayBuffer(STRING_BYTES),
    count: 0,
    pages: [],
  };
  const list = (length: number) => Array.from({ length }, () => null);
  const right = [
    {},
    { count: RECORDS_MAX },
    { pages: list(RECORDS_MAX) },
    { capabilities: list(RECORDS_MAX) },
  ];
  for (const fields of right) ok(isSubmission({ ...form, ...fields }));
  const wrong = [
    { records: new ArrayBuffer(STRING_BYTES - 8) },
    { records: new Uint8Array(STRING_BYTES) },
    { records: undefined },
    { count: -1 },
    { count: RECORDS_MAX + 1 },
    { count: 0.5 },
    { count: NaN },
    { count: 1n },
    { count: "1" },
    { pages: list(RECORDS_MAX + 1) },
    { pages: { length: 1 } },
    { pages: undefined },
    { capabilities: list(RECORDS_MAX + 1) },
    { capabilities: undefined },
  ];
  for (const fields of wrong) ok(!isSubmission({ ...form, ...fields }));
  for (const message of [undefined, null, 7, "text", () => form, []]) {
    ok(!isSubmission(message));
  }
});

Deno.test("a record's stride is a multiple of 8, holds the record, and ends in the string", () => {
  equal(nextRecord(8, RECORD_BYTES), 8 + RECORD_BYTES);
  equal(nextRecord(8, RECORD_BYTES - 8), 0);
  equal(nextRecord(8, RECORD_BYTES + 4), 0);
  equal(nextRecord(STRING_BYTES - RECORD_BYTES, RECORD_BYTES), STRING_BYTES);
  equal(nextRecord(STRING_BYTES - RECORD_BYTES, RECORD_BYTES + 8), 0);
});

Deno.test("as many records fit a string as it has room for", () => {
  ok(RECORDS_MAX * RECORD_BYTES <= STRING_BYTES);
  ok((RECORDS_MAX + 1) * RECORD_BYTES > STRING_BYTES);
});

Deno.test("a packet may go to the end of its own page, and in an extent to the end of all", () => {
  const run = new ArrayBuffer(3 * PAGE_BYTES);
  equal(roomInPage(run, 0), PAGE_BYTES);
  equal(roomInPage(run, PAGE_BYTES - 1), 1);
  equal(roomInPage(run, PAGE_BYTES), PAGE_BYTES);
  equal(roomInPage(run, 2 * PAGE_BYTES + 100), PAGE_BYTES - 100);
  const extent = new ArrayBuffer(EXTENT_BYTES);
  equal(roomInPage(extent, PAGE_BYTES + 100), EXTENT_BYTES - PAGE_BYTES - 100);
});
