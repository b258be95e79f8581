/** A word or phrase of a text that is to be a grant, and where it stands. */

import type { IpPayload, Payload } from "../grant.ts";
import type { Problem, Term, Terms } from "./terms.ts";

/** Where a phrase stands. */
export interface Phrase {
  readonly terms: Terms;
  /** Behind a `vlan`. */
  readonly isTagged: boolean;
}

/** A payload, at its place in an untagged frame or behind a tag. */
export function carrying(
  payload: Payload,
  behindTag: Problem | undefined,
  unsaid?: Problem,
): Term {
  const more = unsaid === undefined ? {} : { unsaid };
  return behindTag === undefined
    ? { conjunction: { payload }, ...more }
    : { conjunction: { vlan: "any", payload }, behindTag, ...more };
}

/** A problem where a phrase looks behind a tag; undefined where it does not. */
export function behindTag(
  column: number,
  { isTagged }: Phrase,
): Problem | undefined {
  return isTagged
    ? {
      column,
      problem: "this looks behind the tag of a `vlan` before it, which it " +
        "does not ask for",
      expected: "`vlan` and this joined by `and`",
    }
    : undefined;
}

/** IPv4 or IPv6 datagrams. */
export function ipTerm(
  payload: IpPayload,
  column: number,
  phrase: Phrase,
): Term {
  return carrying(payload, behindTag(column, phrase));
}

/** A phrase that says what no grant can. */
export function unsayable(column: number, { terms }: Phrase): Error {
  return terms.error({
    column,
    problem: `\`${terms.wordAt(column)}\` is more than a grant can say`,
    expected: "addresses, protocols and ports, or this in the residual",
  });
}
