import assert from "node:assert/strict";
import fc from "fast-check";
import type { Tag } from "../../../caps/kernel/tag.ts";
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

/** A tag comes, or one of those that are there goes: the table is full most of the time. */
const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        op: fc.constant("insert" as const),
        tag: tags,
        slot: fc.integer({ min: 1, max: 1000 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        op: fc.constant("remove" as const),
        pick: fc.nat(1000),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ op: fc.constant("forged" as const), tag: tags }),
    },
  ),
  { minLength: 20, maxLength: 200 },
);

testProperty(
  "a tag table holds what a map would hold, under any inserts and removals",
  { runs: 500, file },
  fc.property(steps, fc.constantFrom(1, 2, 4, 8, 11), (steps, entriesMax) => {
    const table = new TagTable(entriesMax);
    const model = new Map<string, { tag: Tag; slot: number }>();
    const all = new Map<string, Tag>();
    const nameOf = ({ low, high }: Tag) => `${high}:${low}`;
    for (const step of steps) {
      if (step.op === "remove") {
        const found = [...model.values()][step.pick % model.size];
        if (found === undefined) continue;
        assert.ok(table.remove(found.tag));
        model.delete(nameOf(found.tag));
      } else {
        const name = nameOf(step.tag);
        all.set(name, step.tag);
        if (step.op === "forged") {
          assert.equal(table.remove(step.tag), model.delete(name));
        } else if (!model.has(name)) {
          const fits = model.size < entriesMax;
          assert.equal(table.insert(step.tag, step.slot), fits);
          if (fits) model.set(name, step);
        }
      }
      assert.equal(table.size, model.size);
      for (const [name, { low, high }] of all) {
        assert.equal(table.find(low, high), model.get(name)?.slot ?? 0);
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
