import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { mutantsOf } from "./mutants.ts";
import { ROOMS } from "./rooms.ts";
import { sampleOf } from "./sample.ts";

const TEXT = `export function most(a: number, b: number): number {
  // Grüße: what is not ASCII shifts no place.
  return a > b ? a : b;
}
`;

Deno.test("a mutant is the file with one place changed, and says which", async () => {
  const mutants = await mutantsOf("most.ts", TEXT);
  ok(mutants.some(({ from, to }) => from === "a > b" && to === "a >= b"));
  for (const { from, to, text, line } of mutants) {
    notEqual(text, TEXT);
    equal(text.replace(to, () => from), TEXT);
    ok(TEXT.split("\n")[line - 1]!.includes(from.split("\n")[0]!));
  }
  deepEqual(await mutantsOf("most.ts", TEXT), mutants);
});

Deno.test("words of messages are not changed", async () => {
  const text =
    `export const why = (n: number) => n > 2 ? "many" : \`\${n} is few\`;`;
  const mutants = await mutantsOf("why.ts", text);
  ok(mutants.length > 0);
  deepEqual(mutants.filter(({ kind }) => kind === "StringLiteral"), []);
});

Deno.test("a sample is in order, has nothing twice, and is the same for the same seed", () => {
  const all = Array.from({ length: 500 }, (_, i) => i);
  const sample = sampleOf(all, 50, 7);
  equal(new Set(sample).size, 50);
  deepEqual(sample, sample.toSorted((a, b) => a - b));
  deepEqual(sampleOf(all, 50, 7), sample);
  notEqual(sampleOf(all, 50, 8).join(), sample.join());
  deepEqual(sampleOf(all, 1000, 7), all);
});

Deno.test("what rooms name is there", () => {
  for (const { sources, tests } of Object.values(ROOMS)) {
    for (const path of [...sources, ...tests]) {
      ok(Deno.statSync(new URL(`../../${path}`, import.meta.url)), path);
    }
  }
});
