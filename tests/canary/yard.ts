/** Where tests are run on broken sources. */

import { strictEqual } from "node:assert/strict";
import { SourceCopy } from "../source_copy.ts";

/** What tests import, and what says how they are run. */
const PARTS = [
  "caps",
  "cli",
  "drivers",
  "services",
  "tests",
  "examples",
  "mod.ts",
  "deno.json",
  "deno.lock",
];

/** One text that is there exactly once, and another. */
export interface Edit {
  /** From the project's root. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Which tests are run, and how often. */
export interface Trial {
  /** The test file, from the project's root. */
  readonly test: string;
  /** Selects tests whose name contains this, or matches it between slashes; all of them where it is absent. */
  readonly filter?: string | undefined;
  /** Runs of a property, as so many times the usual number. */
  readonly runs: number;
}

/** What takes longer hangs, and is ended: that is no failure of a test. */
const TIME_MS_MAX = 180_000;

/** How a test came out in a yard. */
export interface Outcome {
  readonly passed: boolean;
  /** What it printed. */
  readonly text: string;
}

/** A copy of the sources. */
export class Yard implements Disposable {
  readonly #copy = new SourceCopy(PARTS);

  /** Runs a test on the sources with these edits in them. */
  async run(edits: readonly Edit[], trial: Trial): Promise<Outcome> {
    const whole = new Map<string, string>();
    for (const edit of edits) {
      const text = this.#copy.read(edit.file);
      if (!whole.has(edit.file)) whole.set(edit.file, text);
      this.#copy.write(edit.file, edited(text, edit));
    }
    try {
      return await this.#test(trial);
    } finally {
      for (const [file, text] of whole) this.#copy.write(file, text);
    }
  }

  async #test({ test, filter, runs }: Trial): Promise<Outcome> {
    const flags = ["--no-check", "--no-prompt", "--cached-only", "--allow-all"];
    const filters = filter === undefined ? [] : ["--filter", filter];
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: ["test", ...flags, ...filters, test],
        cwd: this.#copy.folder,
        env: { NO_COLOR: "1", SALLYPORT_RUNS: String(runs) },
        stdin: "null",
        signal: AbortSignal.timeout(TIME_MS_MAX),
      },
    ).output();
    const words = new TextDecoder();
    return {
      passed: success,
      text: words.decode(stdout) + words.decode(stderr),
    };
  }

  [Symbol.dispose](): void {
    this.#copy[Symbol.dispose]();
  }
}

function edited(text: string, { file, from, to }: Edit): string {
  const parts = text.split(from);
  strictEqual(parts.length, 2, `${file} has, other than once: ${from}`);
  return parts.join(to);
}
