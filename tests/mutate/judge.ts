/** Runs a room's tests over mutants, in copies of the sources. */

import { SourceCopy } from "../source_copy.ts";
import type { Mutant } from "./mutants.ts";

/** What became of a mutant. */
export type Verdict =
  /** A test failed, or the program did not come to its end in time. */
  | "killed"
  | "timeout"
  /** Every test passed. */
  | "survived";

/** All that tests read. */
const PARTS = [
  "caps",
  "drivers",
  "services",
  "cli",
  "bench",
  "examples",
  "tests",
  "mod.ts",
  "deno.json",
  "deno.lock",
];

/** How many times as long as without a change a run may take. */
const SLACK_FACTOR = 3;

/** What a run may take besides, in ms: the machine may be busy. */
const GRACE_MS = 10_000;

/** Judges mutants in a copy of its own, one at a time. */
export class Judge implements Disposable {
  readonly #copy = new SourceCopy(PARTS);
  readonly #tests: readonly string[];
  #limitMs = Infinity;

  /** For a room with these tests. */
  constructor(tests: readonly string[]) {
    this.#tests = tests;
  }

  /**
   * Runs the tests without a change, to know how long they take.
   * @throws when they fail: a room whose tests fail says nothing of its mutants.
   */
  async calibrate(): Promise<number> {
    const startMs = performance.now();
    if (await this.#run() !== "survived") {
      throw new Error(
        `the tests fail without a change: ${this.#tests.join(" ")}`,
      );
    }
    const tookMs = performance.now() - startMs;
    this.#limitMs = tookMs * SLACK_FACTOR + GRACE_MS;
    return tookMs;
  }

  /** What becomes of `mutant`. */
  async judge({ file, text }: Mutant): Promise<Verdict> {
    const whole = this.#copy.read(file);
    this.#copy.write(file, text);
    try {
      return await this.#run();
    } finally {
      this.#copy.write(file, whole);
    }
  }

  async #run(): Promise<Verdict> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["test", "--no-check", "--no-prompt", "--cached-only"],
        ...["--allow-all", "--fail-fast", ...this.#tests],
      ],
      cwd: this.#copy.folder,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    let late = false;
    const timer = this.#limitMs === Infinity ? undefined : setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, this.#limitMs);
    const { success } = await child.status;
    clearTimeout(timer);
    return late ? "timeout" : success ? "survived" : "killed";
  }

  /** Removes the copy. */
  [Symbol.dispose](): void {
    this.#copy[Symbol.dispose]();
  }
}
