/**
 * Text to tokens, as libpcap's scanner.l cuts it: the longest match wins, and
 * among equals MAC address, number, IPv4, IPv6, word. So `1-2` is one name,
 * `112233445566` a MAC address and `10.1` an address, whatever stands around.
 */

import { FilterError } from "./error.ts";
import { constantOf, keywordOf } from "./keywords.ts";
import { TEXT_LENGTH_MAX } from "./limits.ts";

/** What a token is. */
export type TokenKind =
  | "keyword"
  | "number"
  | "name"
  | "ip4"
  | "ip6"
  | "mac"
  | "operator"
  | "end";

/** A token. Columns begin with 1. */
export interface Token {
  /** What it is. */
  readonly kind: TokenKind;
  /** A keyword in its one spelling, an operator, or the characters. */
  readonly text: string;
  /** A number's value, unsigned 32 bits; 0 for other tokens. */
  readonly value: number;
  /** Where it begins. */
  readonly column: number;
}

const NUMBER = "(?:0[xX][0-9A-Fa-f]+|[0-9]+)";
const HEX2 = "[0-9A-Fa-f]{1,2}";
const HEX4 = "[0-9A-Fa-f]{4}";

const number = new RegExp(NUMBER, "y");
const ip4 = new RegExp(
  `${NUMBER}\\.${NUMBER}(?:\\.${NUMBER}(?:\\.${NUMBER})?)?`,
  "y",
);
const macs = [
  new RegExp(`${HEX2}(?::${HEX2}){5}`, "y"),
  new RegExp(`${HEX2}(?:-${HEX2}){5}`, "y"),
  new RegExp(`${HEX2}(?:\\.${HEX2}){5}`, "y"),
  new RegExp(`${HEX4}\\.${HEX4}\\.${HEX4}`, "y"),
  new RegExp("[0-9A-Fa-f]{12}", "y"),
];
const brokenMac = new RegExp(`${HEX2}:+(?:${HEX2}:+)+`, "y");
const ip6Run = /[0-9A-Fa-f:.xX]{2,64}/y;
const ip6Groups = /^[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})*$/;
const ip4Whole = new RegExp(`^${NUMBER}(?:\\.${NUMBER}){3}$`);
const word = /[A-Za-z0-9](?:[-_.A-Za-z0-9]*[.A-Za-z0-9])?/y;
const escaped = /\\[^ !()\n\t]+/y;
const operator = />=|<=|!=|==|<<|>>|&&|\|\||[+\-*/%:[\]!<>()&|^=]/y;
const blank = /[ \r\n\t]*/y;

const COLON = 0x3a;
/** Characters of the shortest MAC address: `1-2-3-4-5-6`. */
const MAC_LENGTH_MIN = 11;

/** The operators that are words, or other operators. */
const OPERATOR_SPELLINGS: Readonly<Record<string, string>> = {
  "&&": "and",
  "||": "or",
  "!": "not",
};

/** Cuts a text into tokens, one at a time. */
export class Lexer {
  /** All of the text. */
  readonly text: string;
  #at = 0;

  /** Throws FilterError when the text is beyond {@link TEXT_LENGTH_MAX}. */
  constructor(text: string) {
    this.text = text;
    if (text.length > TEXT_LENGTH_MAX) {
      throw this.#error(
        TEXT_LENGTH_MAX,
        `the text has ${text.length} characters`,
        `at most ${TEXT_LENGTH_MAX}`,
      );
    }
  }

  /** The next token; `end` for ever at the end. Throws FilterError. */
  next(): Token {
    this.#at += lengthOf(blank, this.text, this.#at);
    const at = this.#at;
    if (at >= this.text.length) return token("end", "the end", at);
    const wordLength = lengthOf(word, this.text, at);
    const code = this.text.charCodeAt(at);
    if (wordLength === 0 && code !== COLON) return this.#punctuation(at);
    return this.#wordOrNumber(at, wordLength);
  }

  #punctuation(at: number): Token {
    const length = lengthOf(operator, this.text, at);
    if (length > 0) {
      this.#at = at + length;
      const text = this.text.slice(at, this.#at);
      const keyword = OPERATOR_SPELLINGS[text];
      return keyword === undefined
        ? token("operator", text === "==" ? "=" : text, at)
        : token("keyword", keyword, at);
    }
    const name = lengthOf(escaped, this.text, at);
    if (name > 0) {
      this.#at = at + name;
      return token("name", this.text.slice(at + 1, this.#at), at);
    }
    const character = String.fromCodePoint(this.text.codePointAt(at)!);
    if (character === "$") {
      throw this.#error(at, "`$` begins an ARCnet address", "another address");
    }
    throw this.#error(
      at,
      `${JSON.stringify(character)} has no meaning here`,
      "a word, a number, an address or an operator",
    );
  }

  #wordOrNumber(at: number, wordLength: number): Token {
    const text = this.text;
    // Addresses with colons, and MAC addresses, which are long, are rare.
    const colon = text.charCodeAt(at + wordLength) === COLON;
    const rare = colon || wordLength >= MAC_LENGTH_MIN;
    const mac = rare
      ? Math.max(...macs.map((form) => lengthOf(form, text, at)))
      : 0;
    const digits = lengthOf(number, text, at);
    const v4 = lengthOf(ip4, text, at);
    const v6 = rare ? ip6Length(text, at) : 0;
    const broken = rare ? lengthOf(brokenMac, text, at) : 0;
    const longest = Math.max(mac, digits, v4, v6, broken, wordLength);
    if (longest === 0) return this.#punctuation(at);
    const matched = text.slice(at, at + longest);
    this.#at = at + longest;
    if (mac === longest) return token("mac", matched, at);
    if (digits === longest) return this.#number(matched, at);
    if (v4 === longest) return token("ip4", matched, at);
    if (v6 === longest) return token("ip6", matched, at);
    if (broken === longest) {
      throw this.#error(
        at,
        `${matched} is not an address`,
        "six groups of hexadecimal digits (MAC), or an IPv6 address",
      );
    }
    const constant = constantOf(matched);
    if (constant !== undefined) return token("number", matched, at, constant);
    const keyword = keywordOf(matched);
    return keyword === undefined
      ? token("name", matched, at)
      : token("keyword", keyword, at);
  }

  #number(digits: string, at: number): Token {
    const octal = /^0[0-9]/.test(digits);
    if (octal && /[89]/.test(digits)) {
      throw this.#error(at, `${digits} begins with 0`, "octal digits, 0 to 7");
    }
    const value = octal ? parseInt(digits, 8) : Number(digits);
    if (value > 0xffffffff) {
      throw this.#error(at, `${digits} is too large`, "at most 4294967295");
    }
    return token("number", digits, at, value);
  }

  #error(at: number, problem: string, expected: string): FilterError {
    return new FilterError(problem, {
      text: this.text,
      column: at + 1,
      expected,
    });
  }
}

function token(kind: TokenKind, text: string, at: number, value = 0): Token {
  return { kind, text, value, column: at + 1 };
}

function lengthOf(form: RegExp, text: string, at: number): number {
  form.lastIndex = at;
  return form.test(text) ? form.lastIndex - at : 0;
}

/** How long the longest text of an IPv6 address at `at` is; 0 for none. */
function ip6Length(text: string, at: number): number {
  ip6Run.lastIndex = at;
  const run = ip6Run.exec(text)?.[0] ?? "";
  if (!run.includes(":")) return 0;
  for (let length = run.length; length >= 2; length--) {
    if (isIp6(run.slice(0, length))) return length;
  }
  return 0;
}

/**
 * Whether a text has the shape of an IPv6 address (RFC 4291, section 2.2).
 * As in libpcap's scanner, `::` stands for one group at least, and all eight
 * groups next to a `::` are not an address.
 */
function isIp6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const compressed = halves.length === 2;
  const last = halves[halves.length - 1]!;
  const lastColon = last.lastIndexOf(":");
  let groups = 0;
  let tail = last;
  if (last.includes(".")) {
    if (!ip4Whole.test(last.slice(lastColon + 1))) return false;
    groups += 2;
    tail = lastColon < 0 ? "" : last.slice(0, lastColon);
  }
  for (const half of compressed ? [halves[0]!, tail] : [tail]) {
    if (half === "") continue;
    if (!ip6Groups.test(half)) return false;
    groups += half.split(":").length;
  }
  return compressed ? groups <= 7 : groups === 8;
}
