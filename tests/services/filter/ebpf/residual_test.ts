import assert from "node:assert/strict";
import fc from "fast-check";
import type { KernelProgram } from "../../../../caps/driver/program.ts";
import { emitEbpf } from "../../../../services/filter/ebpf/emit.ts";
import {
  FRAME_BYTES_MAX,
  ProgramTooLarge,
} from "../../../../services/filter/ebpf/limits.ts";
import type { Program } from "../../../../services/filter/language/ir.ts";
import { matchesText } from "../../../../services/filter/language/interpret.ts";
import { runTree } from "../../../oracles/run_tree.ts";
import { mergeTree } from "../../../../services/filter/tree/merge.ts";
import { arithmeticArbitrary } from "../../../arbitraries/expressions.ts";
import { anyFrame } from "../../../arbitraries/frames.ts";
import { framesFor, grantsOf } from "../../../arbitraries/grant_frames.ts";
import { linkedFrame } from "../../../arbitraries/linked_frames.ts";
import {
  compiled,
  residualsArbitrary,
  textArbitrary,
} from "../../../arbitraries/residuals.ts";
import { runEbpf } from "../../../oracles/ebpf_vm.ts";
import { testProperty } from "../../../property.ts";
import { tagNumber, tagOf } from "./tags.ts";
import { unlessTooLarge } from "./within_limits.ts";

const file = import.meta.url;
const MATCHES = 1, OTHERWISE = 2;
const DROP = 1, REDIRECT = 4;

const ethernetFrame = fc.oneof(
  { weight: 4, arbitrary: linkedFrame("ethernet") },
  { weight: 1, arbitrary: anyFrame() },
);

/** The program for a leaf that has filter text, and nothing else. */
function programOf(program: Program): KernelProgram {
  const residual = { program, otherwise: OTHERWISE };
  const tree = { branches: [], accept: { slot: MATCHES, residual } };
  return emitEbpf(tree, tagOf, { unclaimed: "drop" });
}

/** The program gives `frame` to `slot`, unless no socket takes one that long. */
function assertOwner(program: KernelProgram, frame: Uint8Array, slot: number) {
  const { action, tag } = runEbpf(program, frame);
  const isTaken = slot !== 0 && frame.length <= FRAME_BYTES_MAX;
  assert.deepEqual(
    { action, tag },
    isTaken
      ? { action: REDIRECT, tag: tagNumber(slot) }
      : { action: DROP, tag: 0n },
    `slot ${slot}, ${frame.length} bytes: ${frame.toHex()}`,
  );
}

/** Sees that the program says what the text's interpreter says, of frames cut at every length, too. */
function assertMatches(text: Program, frames: readonly Uint8Array[]) {
  const program = programOf(text);
  for (const frame of frames) {
    assertOwner(program, frame, matchesText(text, frame) ? MATCHES : OTHERWISE);
  }
}

/** `frame` cut at every length, the last bytes of a long one only. */
function cuts(frame: Uint8Array): Uint8Array[] {
  const first = Math.max(0, frame.length - 300);
  return Array.from(
    { length: frame.length - first + 1 },
    (_, index) => frame.subarray(0, first + index),
  );
}

testProperty(
  "filter text in a kernel program matches as its interpreter says, frames cut anywhere",
  { runs: 500, file },
  fc.property(
    textArbitrary,
    fc.array(ethernetFrame, { minLength: 1, maxLength: 6 }),
    ({ program }, frames) =>
      assertMatches(program, [...frames, ...cuts(frames[0]!)]),
  ),
);

testProperty(
  "arithmetic in a kernel program comes to what its interpreter computes",
  { runs: 500, file },
  fc.property(
    fc.tuple(
      arithmeticArbitrary,
      fc.constantFrom("=", "!=", "<", ">", "<=", ">="),
      arithmeticArbitrary,
    ).map((parts) => compiled(parts.join(" "))).filter((one) =>
      one !== undefined
    ),
    fc.array(anyFrame(), { minLength: 1, maxLength: 6 }),
    ({ program }, frames) => assertMatches(program, frames),
  ),
);

const OPERATORS: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
  "&": (a, b) => a & b,
  "|": (a, b) => a | b,
  "^": (a, b) => a ^ b,
  "<<": (a, b) => b > 31n ? 0n : a << b,
  ">>": (a, b) => b > 31n ? 0n : a >> b,
};
const word = fc.oneof(
  fc.nat(0xffffffff),
  fc.nat(40),
  fc.constantFrom(0, 0xffffffff, 0x80000000),
);

testProperty(
  "an operator in a kernel program gives 32 bits unsigned, and division by 0 rejects",
  { runs: 400, file },
  fc.property(
    fc.constantFrom(...Object.keys(OPERATORS)),
    word,
    word,
    fc.nat(31),
    (operator, left, right, bit) => {
      const isRejected = right === 0 && "/%".includes(operator);
      const result = isRejected
        ? 0n
        : OPERATORS[operator]!(BigInt(left), BigInt(right));
      const frame = new Uint8Array(12);
      const view = new DataView(frame.buffer);
      [left, right, Number(BigInt.asUintN(32, result))].forEach((word, index) =>
        view.setUint32(4 * index, word)
      );
      const text = `ether[0:4] ${operator} ether[4:4] = ether[8:4]`;
      const program = programOf(compiled(text)!.program);
      assertOwner(program, frame, isRejected ? OTHERWISE : MATCHES);
      const other = frame.with(
        11 - (bit >> 3),
        frame[11 - (bit >> 3)]! ^ 1 << (bit & 7),
      );
      assertOwner(program, other, OTHERWISE);
    },
  ),
);

Deno.test("a kernel program computes what needs more registers than there are", () => {
  const frame = Uint8Array.from({ length: 300 }, (_, index) => index * 97 + 31);
  // Differences of differences, each operand needing as much as the other.
  const difference = (depth: number, at: number): [string, number] => {
    if (depth === 0) {
      const byte = frame[at + 1]! | 1;
      return [`(ether[${at}] / (ether[${at + 1}] | 1))`, frame[at]! / byte | 0];
    }
    const [left, a] = difference(depth - 1, at);
    const [right, b] = difference(depth - 1, at + (1 << depth));
    return [`(${left} - ${right} * 3)`, (a - b * 3) >>> 0];
  };
  for (let depth = 3; depth < 8; depth++) {
    const [text, value] = difference(depth, 0);
    const equal = programOf(compiled(`${text} = ${value}`)!.program);
    assertOwner(equal, frame, MATCHES);
    const less = programOf(compiled(`${text} - 1 < ${text}`)!.program);
    assertOwner(less, frame, value === 0 ? OTHERWISE : MATCHES);
  }
});

Deno.test("variables in a kernel program begin as 0, also in text too large to be folded", () => {
  const bytes = Array.from(
    { length: 1_400 },
    (_, i) => `ether[${i % 40}] = ${i >> 3}`,
  );
  const { program } = compiled(`geneve and ip or ${bytes.join(" or ")}`)!;
  // The bytes are looked for behind a Geneve header that is not there.
  const frame = new Uint8Array(60);
  frame.set([8, 0], 12);
  assertMatches(program, [frame, frame.map(() => 0xff), frame.with(20, 4)]);
});

/** An IP header behind Ethernet, and bytes that are likely headers that lead to one another. */
const chainedFrame = fc.tuple(
  fc.boolean(),
  fc.array(
    fc.oneof(
      fc.constantFrom(0, 43, 44, 51, 51, 60, 6, 17, 59),
      // No headers to walk over: others of IPv6, and what six bits make one.
      fc.constantFrom(61, 135, 64, 64 + 43, 64 + 51, 192 + 60),
      fc.nat(12),
    ),
    { minLength: 60, maxLength: 400 },
  ),
).map(([is4, bytes]) => {
  const frame = Uint8Array.from([...new Array<number>(12).fill(2), ...bytes]);
  frame.set(is4 ? [8, 0, 0x45] : [0x86, 0xdd, 0x60], 12);
  return frame;
});

testProperty(
  "protochain in a kernel program walks as its interpreter does, in circles too",
  { runs: 400, file },
  fc.property(
    fc.constantFrom("ip6 protochain", "ip protochain", "protochain"),
    fc.constantFrom(6, 17, 51, 44, 59, 0, 300),
    fc.constantFrom("", "not ", "vlan or "),
    fc.array(chainedFrame, { minLength: 1, maxLength: 4 }),
    (chain, protocol, before, frames) => {
      const { program } = compiled(`${before}${chain} ${protocol}`)!;
      assertMatches(program, [...frames, ...cuts(frames[0]!)]);
    },
  ),
);

Deno.test("protochain in a kernel program walks as far as the longest frame allows", () => {
  // Destination options of eight bytes to the frame's end, where an
  // authentication header leads back to between them, and on to the end again.
  const frame = new Uint8Array(FRAME_BYTES_MAX);
  frame.set([0x86, 0xdd, 0x60], 12);
  frame[20] = 60;
  const bytes = frame.subarray(14);
  for (let at = 40; at + 2 <= bytes.length; at += 4) bytes[at] = 60;
  const lastOf = (first: number) =>
    first + Math.floor((bytes.length - 2 - first) / 8) * 8;
  bytes[lastOf(40) - 8] = 51;
  bytes[lastOf(40) + 1] = 44 / 4 - 2;
  bytes[lastOf(44)] = 6;
  const { program } = compiled("ip6 protochain 6")!;
  assertOwner(programOf(program), frame, MATCHES);
  assertMatches(compiled("ip6 protochain 17")!.program, [frame]);
  // Once more, in a circle.
  bytes[lastOf(44) - 8] = 51;
  bytes[lastOf(44)] = 60;
  bytes[lastOf(44) + 1] = 40 / 4 - 2;
  assertOwner(programOf(program), frame, OTHERWISE);
});

Deno.test("filter text in a kernel program reads to the end of the longest frame", () => {
  const frame = new Uint8Array(FRAME_BYTES_MAX).fill(7);
  const end = FRAME_BYTES_MAX - 4;
  const texts = [
    `ether[${end}:4] = 0x07070707`,
    `ether[ether[0] + ${end - 7}:4] = 0x07070707`,
    `ether[len - 1] = 7 and len = ${FRAME_BYTES_MAX}`,
    `ether[${end + 1}:4] = 0x07070707`,
    `ether[ether[0] + ${end - 6}:4] = 0x07070707`,
    `not ether[len] = 7`,
    `not ether[-1] = 7`,
    `not ether[ether[0] - 8] = 7`,
    `not ether[ether[0:4] * 0x80000000] = 7`,
  ];
  for (const [index, text] of texts.entries()) {
    const program = programOf(compiled(text)!.program);
    assertOwner(program, frame, index < 3 ? MATCHES : OTHERWISE);
  }
});

Deno.test("emitEbpf() refuses filter text that the verifier would not follow to its end", () => {
  const many = (count: number, text: (index: number) => string) =>
    compiled(Array.from({ length: count }, (_, i) => text(i)).join(" or "))!
      .program;
  const accepted = [
    many(2_400, (index) => `ether[${index}] = 1`),
    many(6, (index) => `ip6 protochain ${index}`),
  ];
  for (const program of accepted) programOf(program);
  const refused = [
    many(2_600, (index) => `ether[${index}] = 1`),
    many(220, (index) => `port ${index}`),
    many(7, (index) => `ip6 protochain ${index}`),
  ];
  for (const program of refused) {
    assert.throws(() => programOf(program), ProgramTooLarge);
  }
});

testProperty(
  "emitEbpf() comes to the same as the walk of grants with filter text",
  { runs: 250, file },
  fc.property(
    residualsArbitrary.chain((roots) =>
      fc.tuple(
        fc.constant(roots),
        fc.array(fc.oneof(framesFor(grantsOf(roots)), ethernetFrame), {
          minLength: 1,
          maxLength: 12,
        }),
      )
    ),
    ([roots, frames]) => {
      const tree = mergeTree(roots);
      const program = unlessTooLarge(() =>
        emitEbpf(tree, tagOf, { unclaimed: "drop" })
      );
      for (const frame of [...frames, ...cuts(frames[0]!)]) {
        assertOwner(program, frame, runTree(tree, frame, 0, frame.length));
      }
    },
  ),
);
