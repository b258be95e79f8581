/** Kinds of fields in a manifest: each says what it expected and what it got. */

import { z } from "zod";
import { showValue } from "./show_value.ts";

/** The message of a field that is wrong, as zod takes it. */
interface Asked {
  readonly error: (issue: { readonly input?: unknown }) => string;
}

/** Says "expected `expected`, got …". */
export function asked(expected: string): Asked {
  return {
    error: (issue) => `expected ${expected}, got ${showValue(issue.input)}`,
  };
}

/** A whole number, `low` and `high` included. */
export function wholeNumber(
  low: number,
  high: number,
): z.ZodType<number, number> {
  // `abort`: one complaint a field, and no checks across fields after it.
  const params = {
    ...asked(`a whole number from ${low} to ${high}`),
    abort: true,
  };
  return z.int(params).min(low, params).max(high, params);
}

/** A text, and the value or the problem that `read` makes of it. */
export function readText<T extends object>(
  expected: string,
  read: (text: string) => T | { readonly problem: string },
): z.ZodType<T, string> {
  return z.string(asked(expected)).transform((text, context) => {
    const value = read(text);
    if (!("problem" in value)) return value;
    context.addIssue(`${value.problem}, got ${showValue(text)}`);
    return z.NEVER;
  });
}

/** Writes `"a" or "b"`. */
export function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(" or ");
}

/** A field that is one of these words. */
export function oneOf<const T extends readonly string[]>(
  ...names: T
): z.ZodType<T[number], T[number]> {
  return z.enum(names, asked(quoted(names))) as unknown as z.ZodType<
    T[number],
    T[number]
  >;
}

/** A path; whether there is such a file is found when it is opened. */
export const pathOfFile = z.string(asked("the path of a file")).regex(
  /^[^\0]+$/,
  asked("the path of a file"),
);
