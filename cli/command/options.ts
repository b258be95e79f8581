/** Options of the command line: `--name value`, `--name=value`, `--flag`. */

import { nearest } from "../../services/manifest/nearest.ts";
import { printable } from "../screen/text.ts";

/** The command line cannot be understood: exit status 2. */
export class UsageError extends Error {
  /** `UsageError`. */
  override readonly name = "UsageError";
}

/** An option that a command takes. */
export interface OptionSpec {
  /** Name without the dashes. */
  readonly name: string;
  /** What its value is called in the help; without one it is a flag. */
  readonly value?: string;
  /** Whether the value may be left out; it is given as `--name=value` then. */
  readonly optional?: boolean;
  /** Whether it may be given more than once. */
  readonly repeats?: boolean;
  /** What it does, its default included: a few words for the help. */
  readonly help: string;
}

/** The options that were given: values by name; a flag's is empty. */
export interface Options extends ReadonlyMap<string, string> {
  /** All values of an option that may be given more than once, in their order. */
  all(name: string): readonly string[];
}

class GivenOptions extends Map<string, string> implements Options {
  readonly #all = new Map<string, string[]>();

  all(name: string): readonly string[] {
    return this.#all.get(name) ?? [];
  }

  add(name: string, value: string): void {
    this.set(name, value);
    this.#all.set(name, [...this.all(name), value]);
  }
}

/** The option that every command takes. */
export const HELP_OPTION: OptionSpec = {
  name: "help",
  help: "show this and end",
};

/**
 * Reads `args`. Each option may be given once, if it does not repeat; `-h` is `--help`.
 *
 * @throws {UsageError} that names what was not understood.
 */
export function readOptions(
  args: readonly string[],
  specs: readonly OptionSpec[],
): Options {
  const options = new GivenOptions();
  const rest = args.values();
  for (const arg of rest) {
    const { spec, given } = specOf(arg === "-h" ? "--help" : arg, specs);
    if (options.has(spec.name) && spec.repeats !== true) {
      throw new UsageError(`--${spec.name} is given twice; give it once`);
    }
    if (spec.value === undefined && given !== undefined) {
      throw new UsageError(`--${spec.name} takes no value`);
    }
    if (spec.value === undefined || spec.optional === true) {
      options.add(spec.name, given ?? "");
      continue;
    }
    const value = given ?? rest.next().value;
    if (value === undefined || value === "" || isOption(value, specs)) {
      throw new UsageError(
        `--${spec.name} needs a value: --${spec.name} ${spec.value}`,
      );
    }
    options.add(spec.name, value);
  }
  return options;
}

/** Whether a word is one of the options, so that it was not meant as a value. */
function isOption(word: string, specs: readonly OptionSpec[]): boolean {
  return specs.some(({ name }) =>
    word === `--${name}` || word.startsWith(`--${name}=`)
  );
}

function specOf(
  arg: string,
  specs: readonly OptionSpec[],
): { spec: OptionSpec; given: string | undefined } {
  const [, name, given] = /^--([^=]+)(?:=([^]*))?$/.exec(arg) ?? [];
  if (name === undefined) {
    throw new UsageError(
      `unexpected argument ${quote(arg)}; options begin with two dashes`,
    );
  }
  const spec = specs.find((each) => each.name === name);
  if (spec !== undefined) return { spec, given };
  const meant = nearest(name, specs.map((each) => each.name));
  throw new UsageError(
    `unknown option ${quote(`--${name}`)}${
      meant === undefined ? "" : `; did you mean --${meant}?`
    }`,
  );
}

/** A word of the command line, as an error shows it. */
export function quote(word: string): string {
  const short = word.length > 60 ? `${word.slice(0, 60)}…` : word;
  return `"${printable(short)}"`;
}

/** The options as lines of help, in two columns. */
export function describeOptions(specs: readonly OptionSpec[]): string[] {
  const titles = specs.map(({ name, value, optional = false }) => {
    if (value === undefined) return `--${name}`;
    return optional ? `--${name}[=${value}]` : `--${name} ${value}`;
  });
  const width = Math.max(...titles.map((title) => title.length));
  return specs.map(({ help }, index) =>
    `  ${titles[index]!.padEnd(width)}  ${help}`
  );
}
