/** Why a filter text was refused, and where. */
export class FilterError extends Error {
  /** Tells it from other errors. */
  override readonly name = "FilterError";
  /** Where the text went wrong: 1 is its first character. */
  readonly column: number;
  /** What would have been right there, in words; empty when nothing would. */
  readonly expected: string;

  /** Words `problem` and what was expected, and shows the place. */
  constructor(
    problem: string,
    options: {
      readonly text: string;
      readonly column: number;
      readonly expected?: string;
    },
  ) {
    const expected = options.expected ?? "";
    const wanted = expected === "" ? "" : `; expected ${expected}`;
    super(
      `filter, column ${options.column}: ${shortened(problem + wanted)}\n` +
        excerpt(options.text, options.column),
    );
    this.column = options.column;
    this.expected = expected;
  }
}

const WORD_MAX = 48;

/** A message, what it quotes cut where it is longer than one would read. */
function shortened(message: string): string {
  return message.replace(
    /[^ ]+/g,
    (word) => word.length > WORD_MAX ? `${word.slice(0, WORD_MAX)}…` : word,
  );
}

const EXCERPT_BEFORE = 48;
const EXCERPT_AFTER = 24;

/** The text around a column, and a caret under that column. */
function excerpt(text: string, column: number): string {
  const at = column - 1;
  const lineStart = text.lastIndexOf("\n", at - 1) + 1;
  const lineEnd = text.indexOf("\n", at);
  const from = Math.max(lineStart, at - EXCERPT_BEFORE);
  const to = Math.min(
    lineEnd < 0 ? text.length : lineEnd,
    at + EXCERPT_AFTER,
  );
  const before = (from > lineStart ? "…" : "") + text.slice(from, at);
  const after = text.slice(at, to);
  const shown = (before + after).replaceAll("\t", " ");
  return `  ${shown}\n  ${" ".repeat(before.length)}^`;
}
