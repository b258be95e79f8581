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
export const EQUIVALENTS: readonly Equivalent[] = [
  {
    file: "drivers/segment/segmenter.ts",
    from: "source === bytes",
    to: "false",
    reason: "both ways of copying copy the same: one makes a view",
  },
  {
    file: "drivers/segment/checksum.ts",
    from: "(start & 1) !== 0",
    to: "true",
    reason: "bytes one by one have the same sum, more slowly",
  },
  {
    file: "drivers/tunnel/replay_window.ts",
    from: "WINDOW_FRAMES / WORD_BITS",
    to: "WINDOW_FRAMES * WORD_BITS",
    reason: "a ring of more words than the window needs costs memory alone",
  },
];
