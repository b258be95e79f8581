/** Where the model's games are played in broken sources. */

import { strictEqual } from "node:assert/strict";
import { SourceCopy } from "../source_copy.ts";
import type { Edit, Mutation } from "./mutations.ts";

/** What the model's test imports, and what says how it is run. */
const PARTS = [
  "caps",
  "drivers",
  "services",
  "tests/model",
  "tests/arbitraries/arbitrary.ts",
  "tests/needs.ts",
  "tests/packages.json",
  "tests/property.ts",
  "tests/std.d.ts",
  "tests/services/runtime/virtual_clock.ts",
  "deno.json",
  "deno.lock",
];

/** How the model's test came out in a yard. */
export interface Outcome {
  readonly passed: boolean;
  /** What it printed. */
  readonly text: string;
}

/** A copy of the sources. */
export class Yard implements Disposable {
  readonly #copy = new SourceCopy(PARTS);

  /** Plays games in the sources with a mutation in them, as many as `runs` times the usual number. */
  async play(mutation: Mutation, runs: number): Promise<Outcome> {
    const whole = new Map<string, string>();
    for (const edit of mutation.edits) {
      const text = this.#copy.read(edit.file);
      if (!whole.has(edit.file)) whole.set(edit.file, text);
      this.#copy.write(edit.file, edited(text, edit));
    }
    try {
      return await this.#test(runs);
    } finally {
      for (const [file, text] of whole) this.#copy.write(file, text);
    }
  }

  async #test(runs: number): Promise<Outcome> {
    const flags = ["--no-check", "--no-prompt", "--cached-only", "--allow-all"];
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: ["test", ...flags, "tests/model/model_test.ts"],
        cwd: this.#copy.folder,
        env: { NO_COLOR: "1", SALLYPORT_RUNS: String(runs) },
        stdin: "null",
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
