/** Primitives that begin with a keyword, and the qualifiers of the others. */

import type {
  AddressType,
  Direction,
  Encapsulation,
  Expression,
  Identifier,
  Qualifiers,
} from "./ast.ts";
import type { ProtocolName } from "./keywords.ts";
import type { Token } from "./lexer.ts";
import type { TokenStream } from "./token_stream.ts";

const TYPES: readonly string[] = ["host", "net", "port", "portrange"];
const UNDIRECTED: readonly string[] = ["proto", "protochain", "gateway"];
const CASTS: readonly string[] = ["broadcast", "multicast"];
const ENCAPSULATIONS: readonly string[] = [
  "vlan",
  "mpls",
  "pppoes",
  "geneve",
  "vxlan",
];
const BYTE_OPERATORS: readonly string[] = ["=", "<", ">", "&", "|"];

/** Whether a keyword is a qualifier: what follows is an identifier. */
export function isQualifier(token: Token): boolean {
  return token.kind === "keyword" &&
    (token.text === "src" || token.text === "dst" ||
      TYPES.includes(token.text) || UNDIRECTED.includes(token.text));
}

/** Whether a keyword is `broadcast` or `multicast`. */
export function isCast(token: Token): boolean {
  return token.kind === "keyword" && CASTS.includes(token.text);
}

/** A direction, a type, or both, after the protocol that was read. */
export function readQualifiers(
  tokens: TokenStream,
  protocol: ProtocolName | undefined,
): Qualifiers {
  if (UNDIRECTED.includes(tokens.peek().text)) {
    const type = tokens.take().text as AddressType;
    return { protocol, direction: undefined, type };
  }
  const direction = readDirection(tokens);
  const next = tokens.peek();
  const typed = next.kind === "keyword" && TYPES.includes(next.text);
  const type = typed ? tokens.take().text as AddressType : undefined;
  return { protocol, direction, type };
}

function readDirection(tokens: TokenStream): Direction | undefined {
  if (!tokens.at("src") && !tokens.at("dst")) return undefined;
  const first = tokens.take().text;
  if (!tokens.at("and") && !tokens.at("or")) return first as Direction;
  const joint = tokens.take().text;
  tokens.expect(first === "src" ? "dst" : "src");
  return `src ${joint} dst` as Direction;
}

/** `broadcast` or `multicast`, after the protocol that was read. */
export function readCast(
  tokens: TokenStream,
  protocol: ProtocolName | undefined,
): Expression {
  const { text, column } = tokens.take();
  return { kind: text as "broadcast" | "multicast", protocol, column };
}

/** An identifier other than a number. */
export function readIdentifier(tokens: TokenStream): Identifier {
  const { kind, text } = tokens.take();
  if (kind === "mac") return { kind, text };
  if (kind !== "ip4" && kind !== "ip6") return { kind: "name", text };
  if (tokens.at("/")) {
    tokens.take();
    return { kind, text, prefix: tokens.expectNumber("a prefix length") };
  }
  if (kind === "ip6" || !tokens.at("mask")) return { kind, text };
  tokens.take();
  const mask = tokens.peek();
  if (mask.kind !== "ip4") throw tokens.unexpected(mask, "an IPv4 mask");
  tokens.take();
  return { kind, text, mask: mask.text };
}

/** What may stand after qualifiers, for an error. */
export function expectedAfter(qualifiers: Qualifiers | undefined): string {
  switch (qualifiers?.type) {
    case "port":
      return "a port's number or name";
    case "portrange":
      return "a range of ports such as 6000-6008";
    case "net":
      return "a network such as 10.0.0.0/8";
    case "proto":
    case "protochain":
      return "a protocol's number or name (`\\tcp` where it is a keyword)";
    default:
      return "an address";
  }
}

/**
 * A primitive that its keyword begins and that takes no qualifiers; undefined
 * where `keyword`, which was read, is of another kind.
 */
export function readKeywordPrimitive(
  tokens: TokenStream,
  keyword: Token,
): Expression | undefined {
  const { text, column } = keyword;
  switch (text) {
    case "less":
    case "greater":
      return { kind: text, value: tokens.expectNumber("a length"), column };
    case "ifindex":
      return {
        kind: text,
        value: tokens.expectNumber("an interface's index"),
        column,
      };
    case "byte":
      return readByte(tokens, column);
    case "inbound":
    case "outbound":
    case "pppoed":
      return { kind: text, column };
    case "llc":
      return { kind: "llc", type: readLlcType(tokens), column };
  }
  if (!ENCAPSULATIONS.includes(text)) return undefined;
  return {
    kind: "encapsulation",
    header: text as Encapsulation,
    number: readOptionalNumber(tokens),
    column,
  };
}

function readByte(tokens: TokenStream, column: number): Expression {
  const index = tokens.expectNumber("the byte's offset");
  const operator = tokens.peek();
  if (
    operator.kind !== "operator" || !BYTE_OPERATORS.includes(operator.text)
  ) {
    throw tokens.unexpected(operator, "`=`, `<`, `>`, `&` or `|`");
  }
  tokens.take();
  const value = tokens.expectNumber("a value");
  return { kind: "byte", index, operator: operator.text, value, column };
}

function readLlcType(tokens: TokenStream): string | undefined {
  const token = tokens.peek();
  const named = token.kind === "name" ||
    (token.kind === "keyword" && token.text === "rnr");
  return named ? tokens.take().text : undefined;
}

/** A number, in parentheses or not, where one may stand. */
function readOptionalNumber(tokens: TokenStream): number | undefined {
  if (tokens.at("(")) {
    const open = tokens.take();
    const value = tokens.nested(open, () => readOptionalNumber(tokens));
    if (value === undefined) {
      throw tokens.unexpected(tokens.peek(), "a number");
    }
    tokens.expect(")");
    return value;
  }
  return tokens.peek().kind === "number" ? tokens.take().value : undefined;
}
