import assert from "node:assert/strict";
import { type BenchRow, compare, rowsToJson } from "../../bench/row.ts";
import { summarize, takeTurns, timed } from "../../bench/rounds.ts";

const what = { bench: "b", case: "c", unit: "ns/packet" };

Deno.test("summarize() gives the median and the quartiles, in whatever order figures come", () => {
  const measure = summarize([5, 1, 4, 2, 3]);
  assert.deepEqual(measure, { median: 3, quartiles: [2, 4] });
  assert.equal(summarize([1, 2]).median, 1.5);
  assert.throws(() => summarize([]), RangeError);
});

Deno.test("takeTurns() lets the contestants take turns, round after round", async () => {
  const order: string[] = [];
  const turn = (name: string, figure: number) => () => {
    order.push(name);
    return figure;
  };
  const measures = await takeTurns({ a: turn("a", 7), b: turn("b", 9) }, 3);
  assert.deepEqual(order, ["a", "b", "a", "b", "a", "b"]);
  assert.equal(measures.a.median, 7);
  assert.equal(measures.b.median, 9);
});

Deno.test("timed() calls its body until that can be read off the clock", async () => {
  let calls = 0;
  const contestant = timed(() => calls++, { units: 4, durationMs: 1 });
  const nsPerUnit = await contestant();
  assert.ok(calls > 1);
  assert.ok(nsPerUnit > 0);
});

Deno.test("compare() divides ours by the reference's", () => {
  const ours = summarize([10]);
  const row = compare(what, ours, summarize([4]));
  assert.deepEqual([row.ours, row.reference, row.ratio], [10, 4, 2.5]);
  assert.equal(row.note, undefined);
});

Deno.test("compare() says why a figure is missing, and gives no ratio", () => {
  const row = compare(what, summarize([10]), "no C compiler here");
  assert.deepEqual([row.ours, row.reference, row.ratio], [10, null, null]);
  assert.equal(row.note, "no C compiler here");
});

Deno.test("rowsToJson() writes the six fields, and a note where one is missing", () => {
  const rows: BenchRow[] = [
    compare(what, summarize([10]), summarize([4])),
    compare(what, "needs root", "needs root"),
  ];
  assert.deepEqual(JSON.parse(rowsToJson(rows)), [
    { ...what, ours: 10, reference: 4, ratio: 2.5 },
    {
      ...what,
      ours: null,
      reference: null,
      ratio: null,
      note: "needs root",
    },
  ]);
});
