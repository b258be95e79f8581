import assert from "node:assert/strict";
import fc from "fast-check";
import {
  checksum,
  foldSum,
  sumWords,
  updateChecksum,
} from "../../../services/wire/checksum.ts";
import { bytesUpTo } from "../../arbitraries/reprs.ts";
import { testProperty } from "../../property.ts";

/** RFC 1071 section 4.1, word by word, in exact integers. */
function reference(bytes: Uint8Array): number {
  let sum = 0n;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += BigInt(bytes[at]!) << 8n | BigInt(bytes[at + 1] ?? 0);
  }
  while (sum >> 16n !== 0n) sum = (sum & 0xffffn) + (sum >> 16n);
  return Number(~sum & 0xffffn);
}

testProperty(
  "checksum() is RFC 1071's, for any length at any offset of a buffer at any offset",
  { runs: 500, file: import.meta.url },
  fc.property(
    bytesUpTo(1600),
    fc.nat({ max: 7 }),
    fc.nat({ max: 7 }),
    (bytes, base, start) => {
      const buffer = new Uint8Array(base + start + bytes.length + 8).fill(0xff);
      const view = buffer.subarray(base);
      view.set(bytes, start);
      const end = start + bytes.length;
      assert.equal(checksum(view, start, end), reference(bytes));
    },
  ),
);

Deno.test("checksum() of RFC 1071's own example is the complement of its sum", () => {
  const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
  assert.equal(checksum(bytes, 0, 8), 0xffff ^ 0xddf2);
});

Deno.test("sumWords() does not overflow on 65,535 bytes of ones", () => {
  const bytes = new Uint8Array(65536 + 3).fill(0xff);
  for (const start of [0, 1, 2, 3]) {
    const sum = sumWords(bytes, start, start + 65535, 2 ** 20);
    // 32,767 words of 65,535, and a last byte in a high half.
    assert.equal(foldSum(sum), foldSum(0xff00 + 16));
  }
});

testProperty(
  "sumWords() adds up over parts of even length",
  { runs: 300, file: import.meta.url },
  fc.property(bytesUpTo(600), fc.nat(), (bytes, cut) => {
    const middle = cut % (bytes.length + 1) & ~1;
    const first = sumWords(bytes, 0, middle, 0);
    const sum = sumWords(bytes, middle, bytes.length, first);
    assert.equal(~foldSum(sum) & 0xffff, reference(bytes));
  }),
);

testProperty(
  "updateChecksum() keeps the checksum of what is not all zeros right (RFC 1624)",
  { runs: 1000, file: import.meta.url },
  fc.property(
    fc.array(fc.oneof(fc.constantFrom(0, 0xffff), fc.nat({ max: 0xffff })), {
      minLength: 2,
      maxLength: 20,
    }),
    fc.nat(),
    fc.oneof(fc.constantFrom(0, 0xffff), fc.nat({ max: 0xffff })),
    (words, which, after) => {
      const bytes = new Uint8Array(
        words.flatMap((word) => [word >>> 8, word & 255]),
      );
      const at = 2 * (which % words.length);
      const before = words[which % words.length]!;
      const updated = updateChecksum(reference(bytes), before, after);
      bytes[at] = after >>> 8;
      bytes[at + 1] = after;
      // What is to hold: the receiver's sum of data and checksum is all ones.
      const sum = sumWords(bytes, 0, bytes.length, updated);
      const allZero = bytes.every((byte) => byte === 0);
      assert.equal(foldSum(sum), allZero ? 0 : 0xffff);
    },
  ),
);

Deno.test("updateChecksum() gives RFC 1624's own example", () => {
  assert.equal(updateChecksum(0xdd2f, 0x5555, 0x3285), 0x0000);
});
