/** How doc comments begin. */

import { deepEqual } from "node:assert/strict";
import { readSources } from "./source.ts";

/**
 * Words that stand for what another line said. Who reads one declaration, in an
 * editor or in the documentation, has not read that line.
 */
const PRONOUN =
  /^(its?|itself|they|them|theirs?|these|those|this|that|s?he|his|her|both|there|the (same|others?)|another|others)\b/i;

/** Where the doc comments of a text begin with a pronoun, with what follows. */
function pronounsIn(text: string): string[] {
  return [...text.matchAll(/\/\*\*[\s*]*([^*]*)/g)].flatMap((match) => {
    const words = match[1]!.trim();
    if (!PRONOUN.test(words)) return [];
    const line = text.slice(0, match.index).split("\n").length;
    return [`${line} ${words}`];
  });
}

Deno.test("a pronoun is found at the start of a doc comment of one line or more, and nowhere else", () => {
  const found = pronounsIn(
    "/** Its size. */\n/**\n * They all.\n */\n/** Item. */\n// It is.\n/* It is. */\n" +
      "/** The same. */\n/** The sameness of it. */\n",
  );
  deepEqual(found, ["1 Its size.", "2 They all.", "8 The same."]);
});

Deno.test("no doc comment begins with a pronoun", () => {
  const wrong = readSources().filter(({ path }) =>
    path !== "tests/tidy/comments_test.ts"
  ).flatMap(({ path, text }) =>
    pronounsIn(text).map((place) => `${path}:${place}`)
  );
  deepEqual(wrong, []);
});
