/** JSON as people write it: with comments, and commas after the last item. */

import { parse } from "@std/jsonc/parse";

/** Says that an object has a name twice, of which JSON.parse would keep the last alone. */
export class NameTwiceError extends SyntaxError {}

/**
 * Reads it.
 * @throws {SyntaxError} that says what is wrong at which line and column.
 * @throws {NameTwiceError} when an object has a name twice.
 */
export function parseJsonc(text: string): unknown {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new SyntaxError(describe(text, error), { cause: error });
  }
  refuseNamesTwice(text);
  return value;
}

/** Comments, strings, and what objects and arrays are made of; in what was read, the rest is no name. */
const TOKEN = /\/\/[^\r\n]*|\/\*[^]*?\*\/|"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

function refuseNamesTwice(text: string): void {
  const open: Map<string, number>[] = [];
  let last: RegExpExecArray | undefined;
  for (const match of text.matchAll(TOKEN)) {
    const [token] = match;
    if (token === "{" || token === "[") open.push(new Map());
    else if (token === "}" || token === "]") open.pop();
    else if (token.startsWith('"')) last = match;
    else if (token === ":") {
      const { 0: written, index } = last!;
      const name = JSON.parse(written) as string;
      const names = open.at(-1)!;
      const first = names.get(name);
      if (first !== undefined) throw nameTwice(text, written, first, index);
      names.set(name, index);
    }
  }
}

function nameTwice(
  text: string,
  written: string,
  first: number,
  second: number,
): NameTwiceError {
  const short = written.length > 60 ? `${written.slice(0, 60)}…"` : written;
  return new NameTwiceError(
    `the name ${short} is there twice, ${placeOf(text, first)} and ${
      placeOf(text, second)
    }; leave one out, or rename it`,
  );
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
