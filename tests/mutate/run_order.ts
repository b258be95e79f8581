/** Which test files are run for a mutant, and in which order. */

import type { CalibratedFile } from "./calibration.ts";
import type { Mutant } from "./mutants.ts";

/** The files of a room, with what was seen of them so far. */
export class RunOrder {
  readonly #files: readonly CalibratedFile[];
  readonly #runs = new Map<CalibratedFile, number>();
  readonly #kills = new Map<CalibratedFile, number>();

  /** An order of `files`: quickest first, until they are seen to kill. */
  constructor(files: readonly CalibratedFile[]) {
    this.#files = files;
  }

  /** The files that run a line of `mutant`, those first that kill the most in a second. */
  of(
    { file, line, lineEnd }: Pick<Mutant, "file" | "line" | "lineEnd">,
  ): CalibratedFile[] {
    const isCovered = ({ lines }: CalibratedFile) => {
      for (let at = line; at <= lineEnd; at++) {
        if (lines.get(file)?.has(at)) return true;
      }
      return false;
    };
    return this.#files.filter(isCovered)
      .sort((a, b) => this.#rate(b) - this.#rate(a));
  }

  /** Counts a run of `file`, and whether it noticed its mutant. */
  note(file: CalibratedFile, hasKilled: boolean): void {
    this.#runs.set(file, (this.#runs.get(file) ?? 0) + 1);
    if (hasKilled) this.#kills.set(file, (this.#kills.get(file) ?? 0) + 1);
  }

  /** Kills expected in a ms: one more than was seen, so that a new file has its chance. */
  #rate(file: CalibratedFile): number {
    const kills = (this.#kills.get(file) ?? 0) + 1;
    return kills / ((this.#runs.get(file) ?? 0) + 2) / file.wallMs;
  }
}
