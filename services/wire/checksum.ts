/**
 * The Internet checksum (RFC 1071): the complement of the ones' complement sum
 * of 16-bit big-endian words; an odd last byte counts as the high half of one.
 *
 * Sums travel unfolded, as plain numbers below 2^32, so that a pseudo-header,
 * a header and a payload can be added up before they are folded once. Each
 * part but the last must have an even length. No part is above 65,535 bytes.
 */

/** From how many bytes on a view of words repays being made. */
const WORDS_FROM_BYTES = 128;

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Adds the words of `bytes[start..end)`, at most 65,535 bytes, to `initial`, at
 * most 2^20.
 * @returns the unfolded sum.
 */
export function sumWords(
  bytes: Uint8Array,
  start: number,
  end: number,
  initial: number,
): number {
  const address = bytes.byteOffset + start;
  if (end - start < WORDS_FROM_BYTES || (address & 1) !== 0) {
    return sumBytes(bytes, start, end, initial);
  }
  const bodyAt = start + (-address & 3);
  const count = (end - bodyAt) >>> 2;
  const words = new Uint32Array(
    bytes.buffer,
    bytes.byteOffset + bodyAt,
    count,
  );
  let even = 0;
  let odd = 0;
  for (let i = 0; i < count; i++) {
    const word = words[i]!;
    even = even + (word & 0xffff) | 0;
    odd = odd + (word >>> 16) | 0;
  }
  // Summed in the machine's byte order, turned once (RFC 1071 section 2 B).
  const folded = foldSum(even + odd);
  const body = littleEndian ? (folded & 0xff) << 8 | folded >>> 8 : folded;
  const head = sumBytes(bytes, start, bodyAt, initial + body);
  return sumBytes(bytes, bodyAt + 4 * count, end, head);
}

/** Sums a byte at a time: for what is short, or starts at an odd address. */
function sumBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  initial: number,
): number {
  let high = 0;
  let low = 0;
  let at = start;
  for (; at + 1 < end; at += 2) {
    high += bytes[at]!;
    low += bytes[at + 1]!;
  }
  if (at < end) high += bytes[at]!;
  return initial + high * 256 + low;
}

/** Folds a sum to 16 bits with end-around carry. */
export function foldSum(sum: number): number {
  sum = (sum >>> 16) + (sum & 0xffff);
  return (sum >>> 16) + (sum & 0xffff);
}

/**
 * The checksum of `bytes[start..end)` with `initial` added: what goes into the
 * checksum field when that field held 0, and 0 when it held the right value.
 */
export function checksum(
  bytes: Uint8Array,
  start: number,
  end: number,
  initial: number = 0,
): number {
  return ~foldSum(sumWords(bytes, start, end, initial)) & 0xffff;
}

/**
 * The checksum after one 16-bit word under it changed from `before` to `after`:
 * `HC' = ~(~HC + ~m + m')` (RFC 1624 section 3, equation 3). Comes out as 0,
 * and wrong, where all words are 0 then: what may be so must be summed again.
 */
export function updateChecksum(
  checksum: number,
  before: number,
  after: number,
): number {
  return ~foldSum((~checksum & 0xffff) + (~before & 0xffff) + after) & 0xffff;
}

/**
 * The sum of the IPv4 pseudo-header (RFC 768, RFC 9293 section 3.1), without
 * the length, which the protocol itself adds.
 *
 * ```
 * ├ source address (4) ┼ destination address (4) ┼ 0 ┼ protocol ┼ length (2) ┤
 * ```
 */
export function pseudoHeaderSum(
  source: number,
  destination: number,
  protocol: number,
): number {
  return (source >>> 16) + (source & 0xffff) + (destination >>> 16) +
    (destination & 0xffff) + protocol;
}
