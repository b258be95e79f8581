/** Says which mutants the tests notice, in a copy of the sources. */

import { SourceCopy } from "../source_copy.ts";
import { calibrate, type CalibratedFile } from "./calibration.ts";
import type { Mutant } from "./mutants.ts";
import { type Ending, runFile } from "./run_file.ts";
import type { RunOrder } from "./run_order.ts";

/** What became of a mutant. */
export type Verdict =
  /** A test failed, or did not come to its end within the limits. */
  | Exclude<Ending, "passed">
  /** Every test file that runs the mutant's lines passed. */
  | "survived"
  /** No test file runs the mutant's lines. */
  | "not covered";

/** How the judges run tests. */
export interface JudgeOptions {
  /** Of the properties' values. */
  readonly seed: number;
  /** Whether survivors get a second look, with all of a property's values. */
  readonly thorough: boolean;
}

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

/** The part of a property's values that a first look tries. */
const FIRST_RUNS = 0.1;

/** How many times as long as without a change a run may take. */
const SLACK_FACTOR = 3;

/** What a run may take besides: as CPU time, and as real time. */
const CPU_GRACE_S = 3;
const WALL_GRACE_MS = 30_000;

/** Judges mutants in a copy of its own, one at a time. */
export class Judge implements Disposable {
  readonly #copy = new SourceCopy(PARTS);
  readonly #options: JudgeOptions;

  /** One without an opinion. */
  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  /**
   * What a test file takes, and which lines it runs, without a change.
   * @throws when it fails.
   */
  async calibrate(test: string): Promise<CalibratedFile> {
    return await calibrate(this.#copy.folder, test, this.#env(FIRST_RUNS));
  }

  /** What becomes of `mutant` when the files that `order` has for it are run. */
  async judge(mutant: Mutant, order: RunOrder): Promise<Verdict> {
    const files = order.of(mutant);
    if (files.length === 0) return "not covered";
    const whole = this.#copy.read(mutant.file);
    this.#copy.write(mutant.file, mutant.text);
    try {
      for (const file of files) {
        const ending = await this.#run(file, FIRST_RUNS);
        order.note(file, mutant.file, ending !== "passed");
        if (ending !== "passed") return ending;
      }
      return this.#options.thorough ? await this.#lookAgain(files) : "survived";
    } finally {
      this.#copy.write(mutant.file, whole);
    }
  }

  async #lookAgain(files: readonly CalibratedFile[]): Promise<Verdict> {
    for (const file of files.filter(({ hasProperties }) => hasProperties)) {
      const ending = await this.#run(file, 1);
      if (ending !== "passed") return ending;
    }
    return "survived";
  }

  #run({ test, cpuS, wallMs }: CalibratedFile, runs: number): Promise<Ending> {
    const factor = SLACK_FACTOR * runs / FIRST_RUNS;
    return runFile({
      folder: this.#copy.folder,
      test,
      env: this.#env(runs),
      cpuS: cpuS * factor + CPU_GRACE_S,
      wallMs: wallMs * factor + WALL_GRACE_MS,
    });
  }

  #env(runs: number): Record<string, string> {
    return {
      SALLYPORT_RUNS: String(runs),
      SALLYPORT_SEED: String(this.#options.seed),
    };
  }

  /** Removes the copy. */
  [Symbol.dispose](): void {
    this.#copy[Symbol.dispose]();
  }
}
