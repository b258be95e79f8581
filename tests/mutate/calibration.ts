/** What each test file of a room takes, and which lines it runs, without a change. */

import { type CoveredLines, readCoverage } from "./coverage.ts";
import { timeFile } from "./run_file.ts";

/** One test file, and what it does with the sources as they are. */
export interface CalibratedFile {
  /** From the project's root. */
  readonly test: string;
  readonly wallMs: number;
  readonly cpuS: number;
  readonly lines: CoveredLines;
  /** Whether SALLYPORT_RUNS changes how much is tried. */
  readonly hasProperties: boolean;
}

/** How often a file that fails without a change is run: the machine may be busy. */
const TRIES_MAX = 2;

/**
 * Runs `test` in `folder`, with `env`, where no source is changed.
 * @throws when it fails: such a file says nothing of any mutant.
 */
export async function calibrate(
  folder: string,
  test: string,
  env: Readonly<Record<string, string>>,
): Promise<CalibratedFile> {
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const profile = Deno.makeTempDirSync({ prefix: "sallyport-coverage-" });
    try {
      const startMs = performance.now();
      const { passed, cpuS } = await timeFile({
        folder,
        test,
        env: { ...env, DENO_COVERAGE_DIR: profile },
      });
      if (!passed) continue;
      const wallMs = performance.now() - startMs;
      const lines = await readCoverage(profile, folder);
      const hasProperties = lines.has("tests/property.ts");
      return { test, wallMs, cpuS, lines, hasProperties };
    } finally {
      Deno.removeSync(profile, { recursive: true });
    }
  }
  throw new Error(`${test} fails without a change`);
}
