/** Counts of verdicts, and how they are printed. */

import type { Verdict } from "./judge.ts";
import type { Mutant } from "./mutants.ts";

/** Of a room's mutants, how many had which verdict. */
export class Tally {
  readonly #counts = new Map<Verdict, number>();

  /** Counts a verdict. */
  add(verdict: Verdict): void {
    this.#counts.set(verdict, this.#of(verdict) + 1);
  }

  /** The part that was noticed, from 0 to 1; 1 of none. */
  get score(): number {
    return this.#all === 0 ? 1 : this.#noticed / this.#all;
  }

  /** The counts in a line. */
  toString(): string {
    return `${this.#noticed} of ${this.#all} noticed, ${
      (100 * this.score).toFixed(1)
    } % (${this.#of("looped")} looped, ${this.#of("late")} late); ${
      this.#of("survived")
    } survived, ${this.#of("not covered")} not covered`;
  }

  get #noticed(): number {
    return this.#of("failed") + this.#of("looped") + this.#of("late");
  }

  get #all(): number {
    return this.#noticed + this.#of("survived") + this.#of("not covered");
  }

  #of(verdict: Verdict): number {
    return this.#counts.get(verdict) ?? 0;
  }
}

/** Characters of a text that are printed. */
const TEXT_LENGTH_MAX = 90;

/** One line about a mutant. */
export function lineOf(mutant: Mutant, verdict: Verdict): string {
  const { file, line, kind, from, to } = mutant;
  return `${verdict} ${file}:${line} ${kind}: ${short(from)}  →  ${short(to)}`;
}

function short(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > TEXT_LENGTH_MAX
    ? `${line.slice(0, TEXT_LENGTH_MAX - 1)}…`
    : line;
}
