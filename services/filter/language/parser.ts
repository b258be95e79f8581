/**
 * Tokens to a tree, by the grammar of pcap-filter(7).
 *
 * `and` and `or` have one precedence and group to the left. A bare identifier
 * after one of them takes the qualifiers of the primitive before it (`port 53
 * or 80`); after a parenthesis, those of what stood before the parenthesis.
 */

import type { Arithmetic, Expression, Qualifiers, Relation } from "./ast.ts";
import { ArithmeticParser } from "./arithmetic_parser.ts";
import { isProtocol } from "./keywords.ts";
import type { Token } from "./lexer.ts";
import {
  expectedAfter,
  isCast,
  isQualifier,
  readCast,
  readIdentifier,
  readKeywordPrimitive,
  readQualifiers,
} from "./primitive_parser.ts";
import { TokenStream } from "./token_stream.ts";

/** What may stand at a place, and the qualifiers of an identifier there. */
interface Place {
  readonly term: boolean;
  readonly identifier: boolean;
  readonly inherited: Qualifiers | undefined;
  /** Whether a parenthesis has just been opened. */
  readonly opened: boolean;
}

/** A part of a filter that is true or false. */
interface TestUnit {
  readonly form: "term" | "identifier";
  readonly node: Expression;
  /** What an identifier after `and` or `or` inherits. */
  readonly qualifiers: Qualifiers | undefined;
}

/** A test, or arithmetic that no relation follows: only before a `)`. */
type Unit = TestUnit | {
  readonly form: "arithmetic";
  readonly value: Arithmetic;
};

const RELATIONS: readonly string[] = [">", ">=", "=", "<=", "<", "!="];
const IDENTIFIERS: readonly string[] = ["name", "ip4", "ip6", "mac"];
const A_TEST = "a primitive such as `host`, `port` or `ip`, or a comparison";
const A_RELATION = "a comparison: `=`, `!=`, `<`, `<=`, `>` or `>=`";

/** Reads a filter text. Throws FilterError. */
export function parse(text: string): Expression {
  return new Parser(text).whole();
}

class Parser {
  readonly #tokens: TokenStream;
  readonly #arithmetic: ArithmeticParser;

  constructor(text: string) {
    this.#tokens = new TokenStream(text);
    this.#arithmetic = new ArithmeticParser(this.#tokens);
  }

  whole(): Expression {
    if (this.#tokens.peek().kind === "end") {
      return { kind: "everything", column: 1 };
    }
    const { node } = this.#joined(this.#test({
      term: true,
      identifier: false,
      inherited: undefined,
      opened: false,
    }));
    const rest = this.#tokens.peek();
    if (rest.kind !== "end") {
      throw this.#tokens.unexpected(rest, "`and`, `or` or the end");
    }
    return node;
  }

  /** `first`, and what `and` and `or` join to it. */
  #joined(first: TestUnit): TestUnit {
    let { node, qualifiers } = first;
    let operands: Expression[] = [];
    let open = "";
    while (this.#tokens.at("and") || this.#tokens.at("or")) {
      const joint = this.#tokens.take();
      const kind = joint.text as "and" | "or";
      const next = this.#test({
        term: first.form === "term",
        identifier: true,
        inherited: qualifiers,
        opened: false,
      });
      qualifiers = next.qualifiers;
      if (open === kind) {
        operands.push(next.node);
        continue;
      }
      open = kind;
      operands = [node, next.node];
      node = { kind, operands, column: joint.column };
    }
    return { form: first.form, node, qualifiers };
  }

  /** A unit that is true or false. */
  #test(place: Place): TestUnit {
    return this.#asTest(this.#unit(place), place);
  }

  #asTest(unit: Unit, place: Place): TestUnit {
    if (unit.form !== "arithmetic") return unit;
    const { value } = unit;
    if (place.identifier && value.kind === "number") {
      return this.#primitive(place.inherited, value.column, {
        kind: "number",
        value: value.value,
      });
    }
    throw this.#tokens.unexpected(this.#tokens.peek(), A_RELATION);
  }

  #unit(place: Place): Unit {
    const token = this.#tokens.peek();
    if (this.#tokens.at("not")) {
      this.#tokens.take();
      const inner = this.#tokens.nested(
        token,
        () => this.#test({ ...place, opened: false }),
      );
      const node: Expression = {
        kind: "not",
        operand: inner.node,
        column: token.column,
      };
      return { ...inner, node };
    }
    if (this.#tokens.at("(")) return this.#related(this.#group(place), place);
    if (IDENTIFIERS.includes(token.kind)) return this.#identifier(place);
    if (this.#arithmetic.begins(token)) {
      if (!place.term && token.kind !== "number") {
        throw this.#tokens.unexpected(token, expectedAfter(place.inherited));
      }
      const value = this.#arithmetic.operand();
      return this.#related({ form: "arithmetic", value }, place);
    }
    if (!place.term) {
      throw this.#tokens.unexpected(token, expectedAfter(place.inherited));
    }
    if (token.kind !== "keyword") throw this.#tokens.unexpected(token, A_TEST);
    return this.#keyword(place);
  }

  /** A parenthesis around identifiers, a number, arithmetic or a filter. */
  #group(place: Place): Unit {
    const open = this.#tokens.take();
    const inner = this.#tokens.nested(open, (): Unit => {
      const first = this.#unit({ ...place, opened: true });
      if (first.form === "arithmetic" && this.#tokens.at(")")) return first;
      return this.#joined(this.#asTest(first, place));
    });
    this.#tokens.expect(")");
    if (place.opened && inner.form === "identifier") {
      throw this.#tokens.error(
        open,
        "a second parenthesis around identifiers",
        "one",
      );
    }
    return inner.form === "term"
      ? { ...inner, qualifiers: place.inherited }
      : inner;
  }

  /** Arithmetic with the operators and the relation that follow it. */
  #related(unit: Unit, place: Place): Unit {
    if (unit.form !== "arithmetic" || !place.term) return unit;
    const left = this.#arithmetic.continued(unit.value);
    const token = this.#tokens.peek();
    if (token.kind !== "operator" || !RELATIONS.includes(token.text)) {
      return { form: "arithmetic", value: left };
    }
    this.#tokens.take();
    const node: Expression = {
      kind: "relation",
      relation: token.text as Relation,
      left,
      right: this.#arithmetic.expression(),
      column: token.column,
    };
    return { form: "term", node, qualifiers: undefined };
  }

  #identifier(place: Place): TestUnit {
    const token = this.#tokens.peek();
    if (!place.identifier) {
      throw this.#tokens.unexpected(
        token,
        `${A_TEST} (\`host\`, \`net\` or \`port\` before ${token.text}?)`,
      );
    }
    const identifier = readIdentifier(this.#tokens);
    return this.#primitive(place.inherited, token.column, identifier);
  }

  #primitive(
    qualifiers: Qualifiers | undefined,
    column: number,
    identifier: Extract<Expression, { kind: "primitive" }>["identifier"],
  ): TestUnit {
    if (qualifiers === undefined) {
      throw this.#tokens.error(
        { kind: "name", text: "", value: 0, column },
        "what stands before this has no qualifiers to take over",
        "`host`, `net`, `port` or another qualifier first",
      );
    }
    const node: Expression = {
      kind: "primitive",
      qualifiers,
      identifier,
      column,
    };
    return { form: "identifier", node, qualifiers };
  }

  #keyword(place: Place): Unit {
    const token = this.#tokens.peek();
    if (isQualifier(token)) return this.#qualified(token, undefined);
    if (isCast(token)) return term(readCast(this.#tokens, undefined));
    if (!isProtocol(token.text)) {
      this.#tokens.take();
      const node = readKeywordPrimitive(this.#tokens, token);
      if (node === undefined) throw this.#tokens.unexpected(token, A_TEST);
      return term(node);
    }
    this.#tokens.take();
    const next = this.#tokens.peek();
    if (this.#tokens.at("[")) {
      const value = this.#arithmetic.load(token);
      return this.#related({ form: "arithmetic", value }, place);
    }
    if (isQualifier(next)) return this.#qualified(token, token);
    if (isCast(next)) return term(readCast(this.#tokens, token.text));
    const { text: protocol, column } = token;
    return term({ kind: "protocol", protocol, column });
  }

  /** Qualifiers, and the identifier or identifiers that they are for. */
  #qualified(first: Token, protocol: Token | undefined): TestUnit {
    const name = protocol?.text ?? "";
    const qualifiers = readQualifiers(
      this.#tokens,
      isProtocol(name) ? name : undefined,
    );
    const { node } = this.#tokens.nested(
      first,
      () =>
        this.#test({
          term: false,
          identifier: true,
          inherited: qualifiers,
          opened: false,
        }),
    );
    return { form: "term", node, qualifiers };
  }
}

function term(node: Expression): TestUnit {
  return { form: "term", node, qualifiers: undefined };
}
