/**
 * Mutants that no test can tell from the code: each was looked at. A mutant is
 * known by its file, its text and what replaces it, so that it is looked at
 * again when the text changes.
 */

/** One such mutant, or several with the same text. */
export interface Equivalent {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Why nothing can show the difference. */
  readonly reason: string;
}

/** All of them. */
export const EQUIVALENTS: readonly Equivalent[] = [];
