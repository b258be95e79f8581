import assert from "node:assert/strict";
import fc from "fast-check";
import { TagGenerator, tagOf } from "../../../caps/kernel/tag.ts";
import { capabilityOf } from "../../../caps/kernel/capability.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;

function keyOf(bytes: Uint8Array): (out: Uint8Array<ArrayBuffer>) => void {
  return (out) => out.set(bytes.subarray(0, out.length));
}

const keys = fc.uint8Array({ minLength: 16, maxLength: 16 });

testProperty(
  "a generator never issues a tag twice, nor 0",
  { runs: 20, file },
  fc.property(keys, (key) => {
    const tags = new TagGenerator(keyOf(key));
    const seen = new Set<bigint>();
    for (let i = 0; i < 2000; i++) {
      const capability = capabilityOf(tags.next());
      assert.notEqual(capability, 0n);
      assert.ok(!seen.has(capability));
      seen.add(capability);
    }
  }),
);

testProperty(
  "generators with different keys issue different tags",
  { runs: 50, file },
  fc.property(keys, keys, (one, two) => {
    fc.pre(one.some((byte, i) => byte !== two[i]));
    const first = new TagGenerator(keyOf(one));
    const second = new TagGenerator(keyOf(two));
    const seen = new Set(
      Array.from({ length: 50 }, () => capabilityOf(first.next())),
    );
    for (let i = 0; i < 50; i++) {
      assert.ok(!seen.has(capabilityOf(second.next())));
    }
  }),
);

testProperty(
  "tagOf() reads what capabilityOf() wrote, and refuses everything else",
  { runs: 500, file },
  fc.property(
    fc.bigInt(1n, 2n ** 64n - 1n),
    fc.oneof(
      fc.anything(),
      fc.bigInt(-(2n ** 70n), 0n),
      fc.bigInt(2n ** 64n, 2n ** 70n),
    ),
    (number, other) => {
      const tag = tagOf(number);
      assert.ok(tag !== undefined);
      assert.equal(capabilityOf(tag), number);
      const isTag = typeof other === "bigint" && other > 0n &&
        other < 2n ** 64n;
      assert.equal(tagOf(other) !== undefined, isTag);
    },
  ),
);

Deno.test("each output bit of the generator changes about half of the time", () => {
  const tags = new TagGenerator(keyOf(new Uint8Array(16).fill(7)));
  const ones = new Uint32Array(64);
  const total = 4096;
  let before = tags.next();
  for (let i = 0; i < total; i++) {
    const tag = tags.next();
    for (let bit = 0; bit < 32; bit++) {
      ones[bit]! += ((tag.low ^ before.low) >>> bit) & 1;
      ones[bit + 32]! += ((tag.high ^ before.high) >>> bit) & 1;
    }
    before = tag;
  }
  // Six standard deviations of a fair coin.
  const slack = 6 * Math.sqrt(total) / 2;
  for (const count of ones) {
    assert.ok(Math.abs(count - total / 2) < slack, `${[...ones]}`);
  }
});
