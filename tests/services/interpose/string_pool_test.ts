import { equal, ok } from "node:assert/strict";
import { STRING_BYTES } from "../../../caps/port/records.ts";
import { StringPool } from "../../../services/interpose/string_pool.ts";

Deno.test("of the strings that come back as many are the layer's as it has out, and eight of those are used again", () => {
  const pool = new StringPool();
  equal(pool.keep(new ArrayBuffer(STRING_BYTES)), false);
  const strings = new Set(Array.from({ length: 12 }, () => pool.take()));
  equal(strings.size, 12);
  ok([...strings].every(({ byteLength }) => byteLength === STRING_BYTES));
  equal(pool.out, 12);
  for (const string of strings) equal(pool.keep(string), true);
  equal(pool.out, 0);
  equal(pool.keep(new ArrayBuffer(STRING_BYTES)), false);
  const taken = Array.from({ length: 12 }, () => pool.take());
  equal(new Set(taken).size, 12);
  equal(taken.filter((string) => strings.has(string)).length, 8);
  equal(pool.out, 12);
});
