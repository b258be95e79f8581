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
    file: "services/filter/service/request.ts",
    from: 'typeof lifetimeMs !== "number"',
    to: "false",
    reason: "Number.isFinite() is false of all that is no number",
  },
  {
    file: "drivers/service/trusted_returns.ts",
    from: "sender?.spec.slot !== slot",
    to: "true",
    reason: "the account is looked up again, and is the same",
  },
  {
    file: "drivers/service/send_batch.ts",
    from: "to < this.#count && senders[to] === sender",
    to: "false",
    reason: "each frame is checked by itself: the same answers, more slowly",
  },
  {
    file: "drivers/service/open_string.ts",
    from: "this.#number++",
    to: "this.#number--",
    reason: "strings have numbers to be told apart, whichever way they go",
  },
  {
    file: "drivers/service/copy_deliverer.ts",
    from: "length > WORDS_UP_TO_BYTES || (offset & 3) !== 0",
    to: "true",
    reason: "both ways of copying copy the same: one makes a view",
  },
  {
    file: "caps/kernel/rights.ts",
    from: 'typeof value === "number"',
    to: "true",
    reason: "Number.isInteger() is false of all that is no number",
  },
  {
    file: "caps/port/submission.ts",
    from: 'typeof count === "number"',
    to: "true",
    reason: "Number.isInteger() is false of all that is no number",
  },
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
  {
    file: "drivers/service/holder.ts",
    from: "this.#surplus.length === 0",
    to: "false",
    reason:
      "a list of none is sent, and replaced by another: it only takes time",
  },
  {
    file: "caps/port/port.ts",
    from: "{\n      this.#queue = [];\n      this.#next = 0;\n    }",
    to: "{}",
    reason: "only the memory of what was taken is kept",
  },
  {
    file: "drivers/service/send_batch.ts",
    from: "this.#count === 0",
    to: "false",
    reason: "a batch of none is checked and sent: it only takes time",
  },
  {
    file: "services/interpose/held_frames.ts",
    from: "this.#next * 2 >= this.#frames.length",
    to: "this.#next * 2 > this.#frames.length",
    reason: "when what is left is moved down is a matter of cost",
  },
  {
    file: "services/interpose/held_frames.ts",
    from: "this.#next * 2 >= this.#frames.length",
    to: "true",
    reason: "when what is left is moved down is a matter of cost",
  },
  {
    file: "services/interpose/layer.ts",
    from: "wakeAt === this.#wakeAt",
    to: "false",
    reason: "a timer that is set again for the same time fires at that time",
  },
  {
    file: "services/interpose/sender.ts",
    from: "view.length(at) > 0",
    to: "true",
    reason: "a record without bytes is too short to be shown to anybody",
  },
  {
    file: "services/interpose/sender.ts",
    from: "view.length(at) > 0",
    to: "view.length(at) >= 0",
    reason: "a record without bytes is too short to be shown to anybody",
  },
  {
    file: "services/loader/check.ts",
    from: "names !== undefined",
    to: "true",
    reason: "an import that has no name of its own has some in braces",
  },
  {
    file: "services/loader/check.ts",
    from: "default:\n      return undefined;",
    to: "default:",
    reason: "a function that ends returns undefined",
  },
  {
    file: "services/loader/compile.ts",
    from: "statement.exportClause !== undefined",
    to: "true",
    reason: "an export of everything names a module, and was refused before",
  },
];
