/** Texts that are hardly filters: words in no order, filters with errors. */

import fc from "fast-check";
import type { Arbitrary } from "./arbitrary.ts";
import { FilterError } from "../../services/filter/language/error.ts";
import { Lexer } from "../../services/filter/language/lexer.ts";
import { expressionArbitrary } from "./expressions.ts";

/** Tokens in no order. No names: libpcap would ask the network about them. */
const SOUP =
  ("( ) ( ) not ! and or && || = != < <= > >= + - * / % & | ^ << >> " +
    "[ ] [0] [2:2] [8:4] : 0 1 4 53 80 0x10 tcp-syn icmptype len ip tcp udp ip6 " +
    "arp ether host net port portrange proto protochain src dst src dst 10.0.0.1 " +
    "10.0 2001:db8::1 ::/0 /8 mask 255.0.0.0 02:00:00:00:00:01 less greater byte " +
    "broadcast multicast vlan mpls pppoes pppoed llc inbound gateway decnet iso " +
    "isis l1 stp icmp icmp6 vpi type reason radio $1 ipx").split(" ");
const PHRASES = ["portrange 53-80", "proto \\tcp", "port domain", "llc ui"];

const soupArbitrary = fc.array(fc.constantFrom(...SOUP, ...PHRASES), {
  minLength: 1,
  maxLength: 9,
}).map((words) => words.join(" "));

/** Texts of the grammar with words missing, doubled or exchanged. */
const mutatedArbitrary = fc.tuple(
  expressionArbitrary,
  fc.array(fc.tuple(fc.nat(), fc.constantFrom(...SOUP), fc.nat(3)), {
    minLength: 1,
    maxLength: 3,
  }),
).map(([text, changes]) => {
  const words = text.split(" ");
  for (const [place, word, how] of changes) {
    const at = place % words.length;
    if (how === 0) words.splice(at, 1);
    else if (how === 1) words.splice(at, 0, word);
    else if (how === 2) words[at] = word;
    else words.splice(at, 0, words[at] ?? word);
  }
  return words.join(" ");
}).filter((text) => !hasName(text));

/** Texts that are hardly filters, with no name that would be looked up. */
export const brokenExpression: Arbitrary<string> = fc.oneof(
  soupArbitrary,
  mutatedArbitrary,
);

/** Whether libpcap might ask the network about a word of the text. */
export function hasName(text: string): boolean {
  const rest = PHRASES.reduce((t, phrase) => t.replaceAll(phrase, ""), text);
  const lexer = new Lexer(rest);
  try {
    for (;;) {
      const { kind } = lexer.next();
      if (kind === "name") return true;
      if (kind === "end") return false;
    }
  } catch (error) {
    if (error instanceof FilterError) return false;
    throw error;
  }
}
