/** What children complain of, as a person sees it. */

import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { ErrorLines } from "../../../../caps/port/stream/error_lines.ts";
import { testProperty } from "../../../property.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** Lines of `text`, read at once. */
function linesOf(text: string | Uint8Array, nowMs = 0): string[] {
  const lines = new ErrorLines("dns");
  const bytes = typeof text === "string" ? encode(text) : text;
  return [...lines.take(bytes, nowMs), ...lines.end()];
}

Deno.test("lines have their name in front; blank ones are passed over", () => {
  deepEqual(linesOf("one\n\n  two\r\n \t\n\nthree"), [
    "dns: one",
    "dns:   two",
    "dns: three",
  ]);
  deepEqual(linesOf(""), []);
});

Deno.test("what a terminal would obey is replaced, and text of any language is not", () => {
  for (
    const [written, shown] of [
      ["a\x1b[31mred\x1b[0m", "a�red�"],
      ["\x1b[2J\x1b[1;1Hgone", "��gone"],
      ["\x1b]0;title\x07text", "�text"],
      ["\x1b]8;;http://x\x1b\\link", "�link"],
      ["\x1b]0;no end", "�]0;no end"],
      ["\x1bcreset", "�creset"],
      ["\x9b31mC1", "�31mC1"],
      ["back\b\b\bspace\x7f", "back���space�"],
      ["over\rwritten", "over�written"],
      ["zero\0", "zero�"],
      ["\u202egnp.exe", "�gnp.exe"],
      ["\u2066a\u2069\u200f\u061c", "�a���"],
      ["a\u2028b\u2029c", "a�b�c"],
      ["zero\u200bwidth\ufeff", "zero�width�"],
      ["tab\there", "tab here"],
      ["größer 日本語 😀 שלום", "größer 日本語 😀 שלום"],
    ] as const
  ) {
    deepEqual(linesOf(`${written}|\n`), [`dns: ${shown}|`]);
  }
});

Deno.test("what is no UTF-8 is replaced", () => {
  deepEqual(linesOf(new Uint8Array([0x61, 0xff, 0xc3, 0x62, 0xe2, 0x82, 10])), [
    "dns: a��b�",
  ]);
});

Deno.test("long lines are cut between characters, whatever is not kept of them", () => {
  const whole = "é".repeat(200);
  deepEqual(linesOf(`${whole}\n`), [`dns: ${whole}`]);
  deepEqual(linesOf("😀".repeat(201)), [`dns: ${"😀".repeat(199)}…`]);
  const lines = new ErrorLines("x");
  for (let i = 0; i < 100; i++) {
    deepEqual(lines.take(encode("y".repeat(1000)), i * 10_000), []);
  }
  deepEqual(lines.take(encode("\nz\n"), 2e6), [
    `x: ${"y".repeat(199)}…`,
    "x: z",
  ]);
});

Deno.test("ten lines a second are shown; how many were left out is said in the next", () => {
  const lines = new ErrorLines("dns");
  const many = encode("no\n".repeat(322));
  const ten = new Array(10).fill("dns: no");
  deepEqual(lines.take(many, 500), ten);
  deepEqual(lines.take(encode("no\n"), 1499), []);
  deepEqual(lines.take(encode("yes\n"), 1500), [
    "dns: 313 lines left out",
    "dns: yes",
  ]);
  deepEqual(lines.take(many, 1600), ten.slice(2));
  deepEqual(lines.end(), ["dns: 314 lines left out"]);
  deepEqual(lines.end(), []);
});

Deno.test("that lines were left out is said when nothing more is written, too", () => {
  const lines = new ErrorLines("dns");
  equal(lines.take(encode("no\n".repeat(11)), 0).length, 10);
  deepEqual(lines.take(new Uint8Array(0), 999), []);
  deepEqual(lines.take(new Uint8Array(0), 1000), ["dns: 1 line left out"]);
  deepEqual(lines.take(new Uint8Array(0), 2000), []);
});

/** Bytes with what hurts more often than by chance. */
const bytes = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ unit: "grapheme", maxLength: 300 }).map(encode),
    fc.constantFrom("\n", "\r\n", "\x1b[", "\x1b]", "\x07", "\u202e", "\x9b")
      .map(encode),
    fc.nat(6000).map((count) => new Uint8Array(count).fill(0x61)),
    fc.nat(20).map((count) => encode("line\n".repeat(count))),
  ),
  { maxLength: 40 },
);

testProperty(
  "the same lines are shown in whatever pieces the bytes were read",
  { runs: 300, file: import.meta.url },
  fc.property(bytes, fc.array(fc.nat(500), { minLength: 1 }), (parts, cuts) => {
    const all = new Uint8Array(parts.flatMap((part) => [...part]));
    const lines = new ErrorLines("dns");
    const shown: string[] = [];
    let at = 0;
    for (let i = 0; at < all.length; i++) {
      const end = at + 1 + cuts[i % cuts.length]!;
      shown.push(...lines.take(all.subarray(at, end), 7));
      at = end;
    }
    shown.push(...lines.end());
    deepEqual(shown, linesOf(all, 7));
  }),
);

testProperty(
  "whatever is written, lines are short, harmless and few, and each is shown or counted",
  { runs: 300, file: import.meta.url },
  fc.property(
    fc.array(fc.tuple(bytes, fc.nat(700))),
    (reads) => {
      const lines = new ErrorLines("dns");
      const shown: string[] = [];
      let [nowMs, secondMs, inSecond] = [0, -Infinity, 0];
      let text = "";
      for (const [parts, laterMs] of reads) {
        nowMs += laterMs;
        const all = new Uint8Array(parts.flatMap((part) => [...part]));
        const some = lines.take(all, nowMs);
        if (nowMs - secondMs >= 1000) [secondMs, inSecond] = [nowMs, 0];
        inSecond += some.length;
        ok(inSecond <= 10, `${inSecond} lines in a second`);
        shown.push(...some);
        // One character a byte.
        text += String.fromCharCode(...all);
      }
      shown.push(...lines.end());
      const written =
        text.split("\n").filter((line) => !/^[\0-\x20]*$/.test(line))
          .length;
      let told = 0;
      for (const line of shown) {
        ok(line.startsWith("dns: "));
        ok([...line].length <= 205, line);
        ok(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(line), line);
        const leftOut = /^dns: (\d+) lines? left out$/.exec(line);
        told += leftOut === null ? 1 : Number(leftOut[1]);
      }
      equal(told, written);
    },
  ),
);
