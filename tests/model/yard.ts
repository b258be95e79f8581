/** A copy of the sources in a folder of its own, where they can be broken. */

import { strictEqual } from "node:assert/strict";
import type { Edit, Mutation } from "./mutations.ts";

const ROOT = new URL("../../", import.meta.url);

/** What the model's test imports, and what says how it is run. */
const PARTS = [
  "caps",
  "drivers",
  "services",
  "tests/model",
  "tests/arbitraries/arbitrary.ts",
  "tests/needs.ts",
  "tests/property.ts",
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

/** A folder with the sources. */
export class Yard implements Disposable {
  readonly #folder: string = Deno.makeTempDirSync({ prefix: "sallyport-" });

  constructor() {
    for (const part of PARTS) {
      copy(new URL(part, ROOT).pathname, `${this.#folder}/${part}`);
    }
  }

  /** Plays games in the sources with a mutation in them, as many as `runs` times the usual number. */
  async play(mutation: Mutation, runs: number): Promise<Outcome> {
    const whole = new Map<string, string>();
    for (const edit of mutation.edits) {
      const path = `${this.#folder}/${edit.file}`;
      const text = Deno.readTextFileSync(path);
      if (!whole.has(path)) whole.set(path, text);
      Deno.writeTextFileSync(path, edited(text, edit));
    }
    try {
      return await this.#test(runs);
    } finally {
      for (const [path, text] of whole) Deno.writeTextFileSync(path, text);
    }
  }

  async #test(runs: number): Promise<Outcome> {
    const flags = ["--no-check", "--no-prompt", "--cached-only", "--allow-all"];
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: ["test", ...flags, "tests/model/model_test.ts"],
        cwd: this.#folder,
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
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

function edited(text: string, { file, from, to }: Edit): string {
  const parts = text.split(from);
  strictEqual(parts.length, 2, `${file} has, other than once: ${from}`);
  return parts.join(to);
}

function copy(from: string, to: string): void {
  if (!Deno.statSync(from).isDirectory) {
    Deno.mkdirSync(to.slice(0, to.lastIndexOf("/")), { recursive: true });
    Deno.copyFileSync(from, to);
    return;
  }
  Deno.mkdirSync(to, { recursive: true });
  for (const { name } of Deno.readDirSync(from)) {
    copy(`${from}/${name}`, `${to}/${name}`);
  }
}
