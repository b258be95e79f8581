/** Which test files are run for a mutant, and in which order. */

import type { CalibratedFile } from "./calibration.ts";
import type { Mutant } from "./mutants.ts";

/** How much more likely than another a test file is to notice: the source's own, and one beside it. */
const OWN = 10;
const BESIDE = 3;

/** Runs of one test file for mutants of one source file. */
interface Record {
  runs: number;
  kills: number;
}

/** The test files of a room, with what was seen of them so far. */
export class RunOrder {
  readonly #files: readonly CalibratedFile[];
  /** By test file and source file. */
  readonly #records = new Map<string, Record>();

  /** An order of `files`. */
  constructor(files: readonly CalibratedFile[]) {
    this.#files = files;
  }

  /**
   * The files that run a line of the mutant, or one beside it, those first that are
   * expected to notice the most in a second. Of `if (a) return b;` coverage says that
   * it was not run where b was not: the line behind it was, then.
   */
  of(
    { file, line, lineEnd }: Pick<Mutant, "file" | "line" | "lineEnd">,
  ): CalibratedFile[] {
    const isCovered = ({ lines }: CalibratedFile) => {
      for (let at = line - 1; at <= lineEnd + 1; at++) {
        if (lines.get(file)?.has(at)) return true;
      }
      return false;
    };
    return this.#files.filter(isCovered)
      .sort((a, b) => this.#rate(b, file) - this.#rate(a, file));
  }

  /** Counts a run of `test` for a mutant of `source`, and whether it noticed. */
  note({ test }: CalibratedFile, source: string, hasKilled: boolean): void {
    const record = this.#recordOf(test, source);
    record.runs++;
    if (hasKilled) record.kills++;
  }

  /** As if one run in two had noticed before any was seen, of the source's own test more. */
  #rate({ test, wallMs }: CalibratedFile, source: string): number {
    const { runs, kills } = this.#recordOf(test, source);
    return nearness(test, source) * (kills + 1) / (runs + 2) / wallMs;
  }

  #recordOf(test: string, source: string): Record {
    const name = `${test} ${source}`;
    const record = this.#records.get(name) ?? { runs: 0, kills: 0 };
    this.#records.set(name, record);
    return record;
  }
}

function nearness(test: string, source: string): number {
  const own = `tests/${source.replace(/\.ts$/, "_test.ts")}`;
  if (test === own) return OWN;
  const folder = own.slice(0, own.lastIndexOf("/") + 1);
  return test.startsWith(folder) ? BESIDE : 1;
}
