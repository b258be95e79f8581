/**
 * Grants as text: the part of pcap-filter(7) that conjunctions over fixed fields
 * can say. What a word means is what libpcap means by it, but for this:
 *
 * - Ports and ICMP types take whole datagrams only. libpcap takes first
 *   fragments, too; here every fragment is the address's holder's.
 * - Addresses, protocols and ports need an IP header that is whole: of its
 *   version, of at least 20 bytes, all there. libpcap looks at the type alone.
 * - IPv6 extension headers are walked over. libpcap takes what the first header
 *   names, or a fragment's, and finds ports nowhere else.
 * - `vlan` takes tags of types 0x8100 and 0x88a8, and needs the whole tag;
 *   libpcap takes 0x9100, too.
 * - A field that is not there does not match; in libpcap it rejects the packet,
 *   whatever else the text would take.
 */

import type { Grant } from "../grant.ts";
import { checkGrant } from "../check.ts";
import { termsOf } from "./primitive.ts";
import { type Term, Terms } from "./terms.ts";
import type { Expression } from "../../language/ast.ts";
import { compileTree } from "../../language/compile.ts";
import { parse } from "../../language/parser.ts";

/**
 * The grant that a text says: `udp dst port 53 and dst host 10.77.0.2`.
 *
 * @throws {FilterError} at the word that no grant can say, or that is wrong.
 */
export function grant(text: string): Grant {
  const tree = parse(text);
  // What is no filter at all is refused in the filter's words.
  compileTree(text, tree, { linkType: "ethernet" });
  const reader = new GrantReader(text);
  return checkGrant(reader.finish(reader.read(tree)));
}

class GrantReader {
  readonly #terms: Terms;
  /** Where a tag was asked for: what is written after it is behind it. */
  #isTagged = false;

  constructor(text: string) {
    this.#terms = new Terms(text);
  }

  finish(terms: readonly Term[]): Grant {
    return this.#terms.finish(terms);
  }

  /** Reads from left to right, as tags move what comes after. */
  read(node: Expression): Term[] {
    const { column } = node;
    switch (node.kind) {
      case "and":
      case "or": {
        const [first, ...rest] = node.operands;
        let terms = this.read(first!);
        for (const operand of rest) {
          const more = this.read(operand);
          terms = node.kind === "and"
            ? this.#terms.both(terms, more, operand.column)
            : this.#terms.either(terms, more, operand.column);
        }
        return terms;
      }
      case "not":
        throw this.#terms.error({
          column,
          problem: "a grant says what frames are, never what they are not",
          expected: "the frames themselves, or `not` in the residual",
        });
      case "encapsulation":
        if (node.header === "vlan") return this.#vlan(node.number, column);
    }
    return termsOf(node, { terms: this.#terms, isTagged: this.#isTagged });
  }

  #vlan(number: number | undefined, column: number): Term[] {
    if (this.#isTagged) {
      throw this.#terms.error({
        column,
        problem: "a grant looks behind one VLAN tag only",
        expected: "one `vlan`, or the second in the residual",
      });
    }
    this.#isTagged = true;
    return [{ conjunction: { vlan: number ?? "any" }, asksTag: true }];
  }
}
