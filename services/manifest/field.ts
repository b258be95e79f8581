/** Kinds of fields of a manifest: each says what it expected and what it got. */

import { z } from "zod";
import { showValue } from "./error.ts";

/** Says what is wrong with the field at `path`. */
export type Complain = (path: string[], message: string) => void;

interface Asked {
  readonly error: (issue: { readonly input?: unknown }) => string;
}

export function asked(expected: string): Asked {
  return {
    error: (issue) => `expected ${expected}, got ${showValue(issue.input)}`,
  };
}

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

/** A text that `read` turns into a value, or says what is wrong with. */
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

export function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(" or ");
}

export function oneOf<const T extends readonly string[]>(
  ...names: T
): z.ZodType<T[number], T[number]> {
  return z.enum(names, asked(quoted(names))) as unknown as z.ZodType<
    T[number],
    T[number]
  >;
}

export const pathOfFile = z.string(asked("the path of a file")).regex(
  /^[^\0]+$/,
  asked("the path of a file"),
);
