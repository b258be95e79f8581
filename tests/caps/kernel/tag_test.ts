import assert from "node:assert/strict";
import fc from "fast-check";
import { type Tag, TagGenerator, tagOf } from "../../../caps/kernel/tag.ts";
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

const ROUNDS = 27;

/** The block that a cipher with this key makes `block` of: each step of it, the other way round. */
function decipher(key: Uint8Array, block: Tag): Tag {
  const words = new Uint32Array(key.slice().buffer);
  const left = (word: number, bits: number) =>
    (word << bits | word >>> (32 - bits)) >>> 0;
  const others = [...words.slice(1)];
  const roundKeys = [words[0]!];
  for (let i = 0; i < ROUNDS - 1; i++) {
    const last = roundKeys[i]!;
    const other = ((left(others[i % 3]!, 24) + last) ^ i) >>> 0;
    others[i % 3] = other;
    roundKeys.push((left(last, 3) ^ other) >>> 0);
  }
  let { low, high } = block;
  for (const roundKey of roundKeys.reverse()) {
    low = left(low ^ high, 29);
    high = left((high ^ roundKey) - low, 8);
  }
  return { low, high };
}

/** The count `steps` behind `from`. */
function counted({ low, high }: Tag, steps: bigint): Tag {
  const count = (BigInt(high) << 32n) + BigInt(low) + steps;
  return {
    low: Number(count & 0xffff_ffffn),
    high: Number(count >> 32n & 0xffff_ffffn),
  };
}

testProperty(
  "a generator counts on across 2^32, and issues what no other count gives",
  { runs: 50, file },
  fc.property(
    keys,
    fc.bigInt(0n, 0xffff_fffen),
    fc.integer({ min: 1, max: 20 }),
    (key, high, before) => {
      const first = counted(
        { low: 0, high: Number(high) + 1 },
        -BigInt(before),
      );
      const tags = new TagGenerator(keyOf(key), first);
      for (let i = 0; i < 2 * before; i++) {
        const count = decipher(key, tags.next());
        assert.deepEqual(count, counted(first, BigInt(i)));
      }
    },
  ),
);

testProperty(
  "a generator passes over the tag 0, and issues those of which one half is 0",
  { runs: 50, file },
  fc.property(keys, fc.integer({ min: 1, max: 0xffff_ffff }), (key, half) => {
    for (const tag of [{ low: half, high: 0 }, { low: 0, high: half }]) {
      const tags = new TagGenerator(keyOf(key), decipher(key, tag));
      assert.deepEqual(tags.next(), tag);
    }
    const none = decipher(key, { low: 0, high: 0 });
    const tags = new TagGenerator(keyOf(key), none);
    assert.deepEqual(decipher(key, tags.next()), counted(none, 1n));
  }),
);

Deno.test("once all tags were issued, a generator says so, and begins again with none", () => {
  const random = keyOf(new Uint8Array(16).fill(7));
  const last = { low: 0xffff_ffff, high: 0xffff_ffff };
  const tags = new TagGenerator(random, counted(last, -1n));
  tags.next();
  assert.throws(() => tags.next(), {
    message: "tags: all 2^64 have been issued",
  });
});

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

Deno.test("0 is no tag, and 1 and the last number of 64 bits are", () => {
  assert.equal(tagOf(0n), undefined);
  assert.deepEqual(tagOf(1n), { low: 1, high: 0 });
  const last = { low: 0xffff_ffff, high: 0xffff_ffff };
  assert.deepEqual(tagOf(2n ** 64n - 1n), last);
  assert.equal(tagOf(2n ** 64n), undefined);
});

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
