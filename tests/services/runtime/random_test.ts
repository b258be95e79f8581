import assert from "node:assert/strict";
import fc from "fast-check";
import { Random, seedOf } from "../../../services/runtime/random.ts";
import { testProperty } from "../../property.ts";

testProperty(
  "Random gives the same numbers for the same seed, also after reseed()",
  { runs: 100, file: import.meta.url },
  fc.property(fc.integer(), fc.integer(), (seed, other) => {
    const draw = (random: Random) =>
      Array.from({ length: 8 }, () => random.next());
    const first = draw(new Random(seed));
    const again = new Random(other);
    again.next();
    again.reseed(seed);
    assert.deepEqual(draw(again), first);
    if (seed !== other) assert.notDeepEqual(draw(new Random(other)), first);
  }),
);

testProperty(
  "Random.below() and between() stay within their bounds, and reach them",
  { runs: 100, file: import.meta.url },
  fc.property(fc.integer(), fc.integer({ min: 1, max: 6 }), (seed, bound) => {
    const random = new Random(seed);
    const seen = new Set<number>();
    for (let i = 0; i < 200; i++) seen.add(random.below(bound));
    assert.deepEqual([...seen].sort(), [0, 1, 2, 3, 4, 5].slice(0, bound));
    const between = new Set<number>();
    for (let i = 0; i < 200; i++) between.add(random.between(7, 6 + bound));
    assert.deepEqual(
      [...between].sort((a, b) => a - b),
      Array.from({ length: bound }, (_, i) => 7 + i),
    );
    for (let i = 0; i < 50; i++) {
      const value = random.between(-3, 2 ** 31);
      assert.ok(Number.isInteger(value) && value >= -3 && value <= 2 ** 31);
    }
    assert.ok(random.below(2 ** 32) < 2 ** 32);
  }),
);

Deno.test("Random's bits are ones half the time, each of them", () => {
  const random = new Random(1);
  const ones = new Array<number>(32).fill(0);
  for (let i = 0; i < 20000; i++) {
    const value = random.next();
    for (let bit = 0; bit < 32; bit++) ones[bit]! += value >>> bit & 1;
  }
  // Six standard deviations of 20,000 throws are 424.
  for (const count of ones) {
    assert.ok(Math.abs(count - 10000) < 424, `${count}`);
  }
});

Deno.test("Random.chance() is never with 0, always with 1, and now and then between", () => {
  const random = new Random(7);
  let hits = 0;
  for (let i = 0; i < 10000; i++) {
    assert.equal(random.chance(0), false);
    assert.equal(random.chance(1), true);
    if (random.chance(0.1)) hits++;
  }
  assert.ok(hits > 800 && hits < 1200, `${hits}`);
});

Deno.test("seedOf() gives other seeds for other numbers and other rows", () => {
  const seeds = new Set<number>();
  for (let row = 0; row < 10; row++) {
    for (let number = 0; number < 1000; number++) {
      seeds.add(seedOf(row, number));
    }
  }
  // Of 10,000 random 32-bit numbers fewer than one pair is alike on average.
  assert.ok(seeds.size >= 9997, `${seeds.size}`);
});

Deno.test("Random.fill() writes its part and nothing else", () => {
  const bytes = new Uint8Array(40);
  new Random(3).fill(bytes, 10, 31);
  assert.ok(bytes.subarray(0, 10).every((byte) => byte === 0));
  assert.ok(bytes.subarray(31).every((byte) => byte === 0));
  assert.ok(new Set(bytes.subarray(10, 31)).size > 10);
});
