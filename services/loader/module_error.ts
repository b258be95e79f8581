/** Why a service's module is not run. */

/** The most problems that one error tells of. */
const PROBLEMS_MAX = 10;

/** Something in a module that is not accepted. */
export interface ModuleProblem {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** What was found, and what to do. */
  readonly message: string;
}

/** A service's module was refused, before any of it ran. */
export class ModuleError extends Error {
  /** `ModuleError`. */
  override readonly name = "ModuleError";
  /** What is wrong, where it is one place or several of the text. */
  readonly problems: readonly ModuleProblem[];

  /** For the module at `path`: one line a problem, or `message` when it is none of its text. */
  constructor(
    path: string,
    problems: readonly ModuleProblem[],
    message?: string,
  ) {
    const shown = problems.slice(0, PROBLEMS_MAX).map(
      ({ line, column, message }) => `${path}:${line}:${column}: ${message}`,
    );
    const rest = problems.length - shown.length;
    if (rest > 0) shown.push(`${path}: and ${rest} more`);
    super(message === undefined ? shown.join("\n") : `${path}: ${message}`);
    this.problems = problems;
  }
}
