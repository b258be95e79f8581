/** The capability system does what the reference says, whatever is done to it. */

import { ok } from "node:assert/strict";
import fc from "fast-check";
import { testProperty } from "../property.ts";
import { anyNic, movesOf } from "./moves.ts";
import { play } from "./play.ts";
import { PROPERTY } from "./property_name.ts";

testProperty(
  PROPERTY,
  { runs: 20_000, file: import.meta.url },
  fc.asyncProperty(movesOf(), anyNic, play),
);

/** Lines of code that a reviewer is asked to read and believe. */
const REFERENCE_LINES_MAX = 300;

Deno.test(`the reference is at most ${REFERENCE_LINES_MAX} lines of code`, () => {
  const text = Deno.readTextFileSync(new URL("reference.ts", import.meta.url));
  const code = text.split("\n").filter((line) => !/^\s*($|\/?\*)/.test(line));
  ok(code.length <= REFERENCE_LINES_MAX, `${code.length} lines`);
});
