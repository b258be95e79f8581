/** JSON as people write it: with comments, and commas after the last item. */

import { parse } from "@std/jsonc/parse";

/** Reads it. @throws {SyntaxError} that says what is wrong at which line and column. */
export function parseJsonc(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new SyntaxError(describe(text, error), { cause: error });
  }
}

function describe(text: string, error: unknown): string {
  if (error instanceof RangeError) return "it is nested too deeply";
  const said = error instanceof Error ? error.message : String(error);
  const [, token, at] =
    /token "(.*)" in JSONC at position (\d+)$/s.exec(said) ?? [];
  if (at === undefined) {
    return `it ends too early, ${placeOf(text, text.length)}`;
  }
  return `unexpected ${token}, ${placeOf(text, Number(at))}`;
}

/** Where a position in a text is, for people: both count from 1. */
function placeOf(text: string, at: number): string {
  const lines = text.slice(0, at).split(/\r\n|\r|\n/);
  return `line ${lines.length}, column ${lines.at(-1)!.length + 1}`;
}
