import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { Checksums, fold } from "../../../drivers/segment/checksum.ts";
import { testProperty } from "../../property.ts";

const file = import.meta.url;

/** Adds one 16-bit word after the other with end-around carry (RFC 1071 section 1). */
function sumSlowly(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += bytes[i]! << 8 | (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

/** Short ones, and ones up to the longest packet of the largest words. */
const contents = fc.oneof(
  fc.uint8Array({ minLength: 2, maxLength: 60 }),
  fc.tuple(fc.integer({ min: 2, max: 65_535 }), fc.constantFrom(0, 1, 255))
    .map(([length, byte]) => new Uint8Array(length).fill(byte)),
);

/** `content` at `start` in a memory whose other bytes would be noticed. */
function memoryWith(content: Uint8Array, start: number): Uint8Array {
  const bytes = new Uint8Array((start + content.length + 8) & ~3).fill(0xa5);
  bytes.set(content, start);
  return bytes;
}

testProperty(
  "a sum is that of its 16-bit words, wherever they begin and end",
  { runs: 500, file },
  fc.property(contents, fc.nat(7), (content, start) => {
    const checksums = new Checksums({ bytes: memoryWith(content, start) });
    equal(checksums.sum(start, start + content.length), sumSlowly(content));
  }),
);

testProperty(
  "a checksum that counts from anywhere to the end is the sum's complement, never 0, and changes nothing else",
  { runs: 500, file },
  fc.property(contents, fc.nat(7), fc.nat(), (content, start, place) => {
    const bytes = memoryWith(content, start);
    const at = start + place % (content.length - 1);
    const expected = bytes.slice();
    const sum = 0xffff - sumSlowly(content);
    new DataView(expected.buffer).setUint16(at, sum === 0 ? 0xffff : sum);
    const checksums = new Checksums({ bytes });
    checksums.completeFrom(start, start + content.length, at);
    deepEqual(bytes, expected);
  }),
);

testProperty(
  "folding keeps a sum's remainder, and is 0 for 0 alone",
  { runs: 500, file },
  fc.property(fc.nat(0xffffffff), (sum) => {
    equal(fold(sum), sum === 0 ? 0 : (sum - 1) % 0xffff + 1);
  }),
);
