/** Tokens with one of lookahead, and what the parsers share: errors and depth. */

import { FilterError } from "./error.ts";
import { foreignTo } from "./keywords.ts";
import { Lexer, type Token } from "./lexer.ts";
import { NESTING_MAX } from "./limits.ts";

/** The tokens of a text. */
export class TokenStream {
  readonly #lexer: Lexer;
  #ahead: Token;
  #depth = 0;

  /** Throws FilterError when the text or its first token is refused. */
  constructor(text: string) {
    this.#lexer = new Lexer(text);
    this.#ahead = this.#lexer.next();
  }

  /** The token that comes next. */
  peek(): Token {
    return this.#ahead;
  }

  /** Whether the next token is the keyword or operator `text`. */
  at(text: string): boolean {
    const { kind } = this.#ahead;
    return (kind === "keyword" || kind === "operator") &&
      this.#ahead.text === text;
  }

  /** The next token, which is used up. */
  take(): Token {
    const token = this.#ahead;
    if (token.kind !== "end") this.#ahead = this.#lexer.next();
    return token;
  }

  /** Uses up the keyword or operator `text`; an error where it is not next. */
  expect(text: string): Token {
    if (!this.at(text)) throw this.unexpected(this.#ahead, `\`${text}\``);
    return this.take();
  }

  /** Uses up a number; an error where there is none. */
  expectNumber(what: string): number {
    if (this.#ahead.kind !== "number") {
      throw this.unexpected(this.#ahead, what);
    }
    return this.take().value;
  }

  /** Runs `body` one level deeper; an error beyond {@link NESTING_MAX}. */
  nested<T>(at: Token, body: () => T): T {
    if (this.#depth >= NESTING_MAX) {
      throw this.error(
        at,
        "nested too deeply",
        `at most ${NESTING_MAX} levels`,
      );
    }
    this.#depth++;
    const result = body();
    this.#depth--;
    return result;
  }

  /** What to throw where `token` cannot stand. */
  unexpected(token: Token, expected: string): FilterError {
    const medium = token.kind === "keyword" ? foreignTo(token.text) : undefined;
    const problem = medium === undefined
      ? `${token.kind === "end" ? token.text : `\`${token.text}\``} here`
      : `\`${token.text}\` is for ${medium}`;
    return this.error(
      token,
      medium === undefined ? `cannot read ${problem}` : problem,
      expected,
    );
  }

  /** What to throw for a problem at `token`. */
  error(token: Token, problem: string, expected: string): FilterError {
    return new FilterError(problem, {
      text: this.#lexer.text,
      column: token.column,
      expected,
    });
  }
}
