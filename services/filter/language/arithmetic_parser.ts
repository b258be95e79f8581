/**
 * Arithmetic, by precedence: `|`, `&`, shifts, `+ -`, `* /`, minus sign, each
 * grouping to the left. `%` and `^` have no precedence in libpcap's grammar: what
 * stands after them, up to the relation, is their right operand, and they take
 * the operand just before them (`a * b % c + d` is `a * (b % (c + d))`).
 */

import type { Arithmetic, ArithmeticOperator } from "./ast.ts";
import { isProtocol } from "./keywords.ts";
import type { Token } from "./lexer.ts";
import { VALUE_DEPTH_MAX } from "./limits.ts";
import type { TokenStream } from "./token_stream.ts";

const PRECEDENCE: Readonly<Record<string, number>> = {
  "|": 1,
  "&": 2,
  "<<": 3,
  ">>": 3,
  "+": 4,
  "-": 4,
  "*": 5,
  "/": 5,
};
const MINUS_SIGN = 6;
const VALUE = "a number, `len`, or bytes such as `ip[8]`";

/** Reads arithmetic from a stream. */
export class ArithmeticParser {
  readonly #tokens: TokenStream;

  /** Reads from where `tokens` is. */
  constructor(tokens: TokenStream) {
    this.#tokens = tokens;
  }

  /** Whether a token begins arithmetic; a protocol does only before a `[`. */
  begins(token: Token): boolean {
    return token.kind === "number" ||
      (token.kind === "operator" && token.text === "-") ||
      (token.kind === "keyword" && token.text === "len");
  }

  /** An operand and all that binds to it at least as tightly as `least`. */
  expression(least = 0): Arithmetic {
    return this.continued(this.operand(), least);
  }

  /** `left`, and the operators after it. */
  continued(left: Arithmetic, least = 0): Arithmetic {
    let value = left;
    for (;;) {
      const token = this.#tokens.peek();
      if (token.kind !== "operator") return value;
      const loose = token.text === "%" || token.text === "^";
      const precedence = loose ? 0 : PRECEDENCE[token.text];
      if (precedence === undefined) return value;
      if (!loose && precedence < least) return value;
      this.#tokens.take();
      const right = this.#tokens.nested(
        token,
        () => this.expression(loose ? 0 : precedence + 1),
      );
      value = {
        kind: "binary",
        operator: token.text as ArithmeticOperator,
        left: value,
        right,
        depth: this.#deeper(token, Math.max(value.depth, right.depth)),
        column: token.column,
      };
    }
  }

  /** One operand, whatever operators follow it. */
  operand(): Arithmetic {
    const token = this.#tokens.take();
    const { column } = token;
    if (token.kind === "number") {
      return { kind: "number", value: token.value, depth: 1, column };
    }
    if (token.kind === "keyword") {
      if (token.text === "len") return { kind: "len", depth: 1, column };
      if (isProtocol(token.text) && this.#tokens.at("[")) {
        return this.load(token);
      }
    }
    if (token.kind === "operator") {
      if (token.text === "-") return this.#negated(token);
      if (token.text === "(") {
        const inner = this.#tokens.nested(token, () => this.expression());
        this.#tokens.expect(")");
        return inner;
      }
    }
    throw this.#tokens.unexpected(token, VALUE);
  }

  /** `[index]` or `[index:size]` after a protocol's name. */
  load(protocol: Token): Arithmetic {
    const open = this.#tokens.expect("[");
    const index = this.#tokens.nested(open, () => this.expression());
    let size = 1;
    if (this.#tokens.at(":")) {
      this.#tokens.take();
      const at = this.#tokens.peek();
      size = this.#tokens.expectNumber("the size 1, 2 or 4");
      if (size !== 1 && size !== 2 && size !== 4) {
        throw this.#tokens.error(at, `${size} bytes at once`, "1, 2 or 4");
      }
    }
    this.#tokens.expect("]");
    if (!isProtocol(protocol.text)) throw this.#tokens.unexpected(open, VALUE);
    return {
      kind: "load",
      protocol: protocol.text,
      index,
      size,
      depth: this.#deeper(open, index.depth),
      column: protocol.column,
    };
  }

  #negated(sign: Token): Arithmetic {
    const operand = this.#tokens.nested(
      sign,
      () => this.expression(MINUS_SIGN),
    );
    return {
      kind: "negate",
      operand,
      depth: this.#deeper(sign, operand.depth),
      column: sign.column,
    };
  }

  #deeper(at: Token, depth: number): number {
    if (depth < VALUE_DEPTH_MAX) return depth + 1;
    throw this.#tokens.error(
      at,
      "too many operators under one another",
      `at most ${VALUE_DEPTH_MAX}`,
    );
  }
}
