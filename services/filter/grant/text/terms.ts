/**
 * Grants while they are made from a text: terms of which any will do. A term
 * may say what no conjunction can; as long as others leave it no frame, that
 * does not matter.
 */

import { given } from "../../../../caps/kernel/given.ts";
import { type Conjunction, CONJUNCTIONS_MAX } from "../grant.ts";
import { FilterError } from "../../language/error.ts";
import { intersect } from "../overlap.ts";

/** A conjunction on its way. */
export interface Term {
  /** The frames, or more than those where something is `unsaid`. */
  readonly conjunction: Conjunction;
  /** Why the conjunction alone is not what the text says. */
  readonly unsaid?: Problem;
  /** Set where it looks behind a tag that something else must have asked for. */
  readonly behindTag?: Problem;
  /** Set where it asks for the tag. */
  readonly asksTag?: true;
}

/** What is wrong with a text as a grant, and where. */
export interface Problem {
  readonly column: number;
  readonly problem: string;
  readonly expected: string;
}

/** How many pairs of conjunctions one text may have met. */
const MEETINGS_MAX = 30_000;

/** Joins terms, and reports what goes wrong in the text. */
export class Terms {
  readonly #text: string;
  #meetings = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** What to throw. */
  error({ column, problem, expected }: Problem): FilterError {
    return new FilterError(problem, { text: this.#text, column, expected });
  }

  /** The word that begins at a column. */
  wordAt(column: number): string {
    return /^(?:[\w.:/\\-]+|\S+)/.exec(this.#text.slice(column - 1))?.[0] ?? "";
  }

  /** Any of both. */
  either(a: readonly Term[], b: readonly Term[], column: number): Term[] {
    return this.#limited([...a, ...b], column);
  }

  /** Joins each of `a` with each of `b`. */
  both(a: readonly Term[], b: readonly Term[], column: number): Term[] {
    this.#meetings += a.length * b.length;
    if (this.#meetings > MEETINGS_MAX) throw this.#tooMany(column);
    const met = a.flatMap((one) => b.flatMap((two) => meet(one, two) ?? []));
    return this.#limited(met, column);
  }

  /** The conjunctions; throws what was left unsaid. */
  finish(terms: readonly Term[]): Conjunction[] {
    for (const { unsaid, behindTag } of terms) {
      const problem = unsaid ?? behindTag;
      if (problem !== undefined) throw this.error(problem);
    }
    if (terms.length > 0) return terms.map((term) => term.conjunction);
    throw this.error({
      column: 1,
      problem: "no frame is all of this at once",
      expected: "what some frame can be",
    });
  }

  #limited(terms: readonly Term[], column: number): Term[] {
    const different = new Map(
      terms.map((term) => [JSON.stringify(term), term]),
    );
    if (different.size > CONJUNCTIONS_MAX) throw this.#tooMany(column);
    return [...different.values()];
  }

  #tooMany(column: number): FilterError {
    return this.error({
      column,
      problem: `with this the grant has more than ${CONJUNCTIONS_MAX} ` +
        "conjunctions",
      expected: "fewer alternatives, or the rest as a residual",
    });
  }
}

function meet(a: Term, b: Term): Term | undefined {
  const conjunction = intersect(a.conjunction, b.conjunction);
  if (conjunction === undefined) return undefined;
  const unsaid = a.unsaid ?? b.unsaid;
  const asksTag = a.asksTag ?? b.asksTag;
  const behindTag = asksTag ? undefined : a.behindTag ?? b.behindTag;
  return {
    conjunction,
    ...given({ unsaid, behindTag, asksTag }),
  };
}
