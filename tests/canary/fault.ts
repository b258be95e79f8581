/** Faults that are planted in the code, each of which one test must notice. */

import type { Edit } from "./yard.ts";

/** What is broken, how, and who notices. */
export interface Fault {
  /** What is wrong then. */
  readonly name: string;
  readonly edits: readonly Edit[];
  /** The test file, from `tests/` on. */
  readonly test: string;
  /** Selects tests of that file by their names; all of them where it is absent. */
  readonly filter?: string;
}

/** Where a fault is, and who notices it. */
export interface Place {
  /** The source file. */
  readonly file: string;
  /** The test file, from `tests/` on. */
  readonly test: string;
  readonly filter?: string;
}

/** One fault: in place of the text `from`, which is there once, stands `to`. */
export function fault(
  name: string,
  { file, ...noticed }: Place,
  from: string,
  to: string,
): Fault {
  return { name, edits: [{ file, from, to }], ...noticed };
}
