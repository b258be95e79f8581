/**
 * Unpacks DEFLATE (RFC 1951) as its bytes come. `DecompressionStream` does so
 * too, but can only be waited for: a replay that is asked for its next frame
 * must have it there and then.
 */

import { type BitSource, PackedDataError } from "./bit_source.ts";

/** How far back a copy reaches (section 3.2.5). */
const WINDOW_BYTES = 32768;
/** The longest copy. */
const COPY_BYTES_MAX = 258;
/** Bits of the longest code. */
const CODE_BITS_MAX = 15;
/** Bytes that a symbol with all that belongs to it takes at most: 48 bits and what was begun. */
const SYMBOL_BYTES_MAX = 7;
const END_OF_BLOCK = 256;

/** What a length symbol from 257 and a distance symbol stand for: a value and bits to add (section 3.2.5). */
const LENGTHS = stepped(28, 3, 4);
const DISTANCES = stepped(30, 1, 2);
/** The last length symbol is 258 itself. */
LENGTHS.base.push(COPY_BYTES_MAX);
LENGTHS.bits.push(0);

/** The order of the lengths of the code of code lengths (section 3.2.7). */
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14];
CODE_ORDER.push(1, 15);

/** A symbol for each 15 bits, and the bits of its code: `symbol << 4 | bits`; 0 for no code. */
type Codes = Uint16Array;

const FIXED_LITERALS = codesOf(
  Uint8Array.from(
    { length: 288 },
    (_, symbol) => symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8,
  ),
)!;
const FIXED_DISTANCES = codesOf(new Uint8Array(32).fill(5))!;

/** Unpacks one stream of DEFLATE blocks. */
export class Inflater {
  readonly #source: BitSource;
  readonly #bytes = new Uint8Array(4 * WINDOW_BYTES);
  #end = 0;
  /** Where what was not handed on begins. */
  #start = 0;

  constructor(source: BitSource) {
    this.#source = source;
  }

  /**
   * Unpacks to the end of the last block. A chunk is good until the next is
   * asked for; what is unpacked is handed on before more of the file is needed.
   *
   * @throws {PackedDataError} where the data is not DEFLATE, or ends.
   */
  *chunks(): Generator<Uint8Array> {
    const source = this.#source;
    for (let last = false; !last;) {
      last = source.take(1) === 1;
      const type = source.take(2);
      if (type === 0) yield* this.#stored();
      else if (type === 1) yield* this.#coded(FIXED_LITERALS, FIXED_DISTANCES);
      else if (type === 2) yield* this.#coded(...this.#readCodes());
      else throw this.#wrong(`a block of type ${type}`, "a type from 0 to 2");
    }
    yield* this.#handOn();
  }

  *#stored(): Generator<Uint8Array> {
    const source = this.#source;
    source.align();
    const length = source.take(16);
    const inverse = source.take(16);
    if ((length ^ inverse) !== 0xffff) {
      throw this.#wrong("a length that its copy contradicts", "the same twice");
    }
    for (let left = length; left > 0; left--) {
      if (this.#mustHandOn) yield* this.#handOn();
      this.#bytes[this.#end++] = source.take(8);
    }
  }

  *#coded(literals: Codes, distances: Codes): Generator<Uint8Array> {
    for (;;) {
      if (this.#mustHandOn) yield* this.#handOn();
      const symbol = this.#symbol(literals);
      if (symbol < END_OF_BLOCK) this.#bytes[this.#end++] = symbol;
      else if (symbol === END_OF_BLOCK) return;
      else this.#copy(symbol - 257, distances);
    }
  }

  #copy(lengthSymbol: number, distances: Codes): void {
    const source = this.#source;
    const length = LENGTHS.base[lengthSymbol];
    if (length === undefined) {
      throw this.#wrong(`length symbol ${lengthSymbol + 257}`, "at most 285");
    }
    let left = length + source.take(LENGTHS.bits[lengthSymbol]!);
    const symbol = this.#symbol(distances);
    const base = DISTANCES.base[symbol];
    const distance = (base ?? Infinity) +
      source.take(DISTANCES.bits[symbol] ?? 0);
    if (distance > this.#end) {
      throw this.#wrong(
        `a copy from ${distance} bytes back`,
        `at most ${this.#end}`,
      );
    }
    const bytes = this.#bytes;
    let end = this.#end;
    for (; left > 0; left--, end++) bytes[end] = bytes[end - distance]!;
    this.#end = end;
  }

  #symbol(codes: Codes): number {
    const entry = codes[this.#source.peek(CODE_BITS_MAX)]!;
    if (entry === 0) throw this.#wrong("bits that are no code", "one");
    this.#source.skip(entry & 15);
    return entry >> 4;
  }

  /** Reads the codes of a block with its own (section 3.2.7). */
  #readCodes(): [literals: Codes, distances: Codes] {
    const source = this.#source;
    const literalCount = source.take(5) + 257;
    const distanceCount = source.take(5) + 1;
    const orderCount = source.take(4) + 4;
    const bits = new Uint8Array(19);
    for (let i = 0; i < orderCount; i++) bits[CODE_ORDER[i]!] = source.take(3);
    const codes = this.#made(bits);
    const all = new Uint8Array(literalCount + distanceCount);
    for (let at = 0; at < all.length;) {
      const symbol = this.#symbol(codes);
      if (symbol < 16) {
        all[at++] = symbol;
        continue;
      }
      if (symbol === 16 && at === 0) {
        throw this.#wrong("a repetition of nothing", "a code length");
      }
      const value = symbol === 16 ? all[at - 1]! : 0;
      const count = symbol === 16
        ? 3 + source.take(2)
        : symbol === 17
        ? 3 + source.take(3)
        : 11 + source.take(7);
      if (at + count > all.length) {
        throw this.#wrong("too many code lengths", `${all.length}`);
      }
      all.fill(value, at, at + count);
      at += count;
    }
    return [
      this.#made(all.subarray(0, literalCount)),
      this.#made(all.subarray(literalCount)),
    ];
  }

  #made(bits: Uint8Array): Codes {
    const codes = codesOf(bits);
    if (codes === undefined) {
      throw this.#wrong("more codes than there are", "a prefix code");
    }
    return codes;
  }

  /** Whether the next symbol may need more of the file, or has no room. */
  get #mustHandOn(): boolean {
    return this.#end + COPY_BYTES_MAX > this.#bytes.length ||
      this.#end > this.#start && this.#source.unread < SYMBOL_BYTES_MAX;
  }

  *#handOn(): Generator<Uint8Array> {
    if (this.#end > this.#start) {
      yield this.#bytes.subarray(this.#start, this.#end);
    }
    this.#start = this.#end;
    if (this.#end + COPY_BYTES_MAX <= this.#bytes.length) return;
    this.#bytes.copyWithin(0, this.#end - WINDOW_BYTES, this.#end);
    this.#start = this.#end = WINDOW_BYTES;
  }

  #wrong(found: string, expected: string): PackedDataError {
    return new PackedDataError(this.#source.offset, found, expected);
  }
}

/** Values that grow by 2 to the power of their bits, `perBits` of them for each number of bits after a first run of twice as many. */
function stepped(
  count: number,
  first: number,
  perBits: number,
): { readonly base: number[]; readonly bits: number[] } {
  const base: number[] = [];
  const bits: number[] = [];
  for (let i = 0, next = first; i < count; i++) {
    const extra = Math.max(0, Math.floor(i / perBits) - 1);
    base.push(next);
    bits.push(extra);
    next += 1 << extra;
  }
  return { base, bits };
}

/**
 * The prefix code in which symbol n has `bits[n]` bits, 0 for no code (section
 * 3.2.2); undefined when there are too many. Codes come with their highest bit
 * first, in bits that come with the lowest first: they are looked up reversed.
 */
function codesOf(bits: Uint8Array): Codes | undefined {
  const codes = new Uint16Array(1 << CODE_BITS_MAX);
  let code = 0;
  for (let length = 1; length <= CODE_BITS_MAX; length++) {
    for (let symbol = 0; symbol < bits.length; symbol++) {
      if (bits[symbol] !== length) continue;
      if (code >> length !== 0) return undefined;
      const step = 1 << length;
      for (let at = reversed(code, length); at < codes.length; at += step) {
        codes[at] = symbol << 4 | length;
      }
      code++;
    }
    code <<= 1;
  }
  return codes;
}

function reversed(code: number, length: number): number {
  let result = 0;
  for (let i = 0; i < length; i++) result |= (code >> i & 1) << length - 1 - i;
  return result;
}
