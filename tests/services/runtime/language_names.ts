/** The language's own globals, from the engine: what a scope has that no runtime has added anything to. */

import { runInNewContext } from "node:vm";

/** Names that the language and the engine have, and confined code must not: code from text, output, memory that is shared. */
const NOT_EVEN = ["eval", "console", "SharedArrayBuffer"];

const all: string = runInNewContext(
  "Object.getOwnPropertyNames(globalThis).join(' ')",
);

/** Globals that give no power: the language's. */
export const LANGUAGE_NAMES: ReadonlySet<string> = new Set(all.split(" "))
  .difference(new Set(NOT_EVEN));
