import assert from "node:assert/strict";
import fc from "fast-check";
import { TagTable } from "../../../caps/kernel/tag_table.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;

// Few low halves, so that tags collide and runs wrap around the table's end.
const tags = fc.record({
  low: fc.oneof(
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 0xfffffffc, max: 0xffffffff }),
  ),
  high: fc.integer({ min: 0, max: 7 }),
});

const steps = fc.array(
  fc.record({
    tag: tags,
    slot: fc.integer({ min: 1, max: 1000 }),
    insert: fc.boolean(),
  }),
  { maxLength: 200 },
);

testProperty(
  "a tag table holds what a map would hold, under any inserts and removals",
  { runs: 500, file },
  fc.property(steps, fc.integer({ min: 1, max: 20 }), (steps, entriesMax) => {
    const table = new TagTable(entriesMax);
    const model = new Map<string, number>();
    const all = new Map<string, { low: number; high: number }>();
    for (const { tag, slot, insert } of steps) {
      const key = `${tag.high}:${tag.low}`;
      all.set(key, tag);
      if (!insert) {
        assert.equal(table.remove(tag), model.delete(key));
      } else if (!model.has(key)) {
        const fits = model.size < entriesMax;
        assert.equal(table.insert(tag, slot), fits);
        if (fits) model.set(key, slot);
      }
      assert.equal(table.size, model.size);
      for (const [key, { low, high }] of all) {
        assert.equal(table.find(low, high), model.get(key) ?? 0);
      }
    }
  }),
);

Deno.test("a tag table refuses a tag that is there already, and slot 0", () => {
  const table = new TagTable(4);
  table.insert({ low: 1, high: 2 }, 3);
  assert.throws(() => table.insert({ low: 1, high: 2 }, 4), /issued twice/);
  assert.throws(() => table.insert({ low: 2, high: 2 }, 0), /slot 0/);
});
