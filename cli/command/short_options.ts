/**
 * Options as tcpdump takes them: `-n -c 5`, `-nc5`, `--count`, `-w FILE`. Other
 * words among them are operands, and so is every word after `--`.
 */

import { nearest } from "../../services/manifest/nearest.ts";
import { HELP_OPTION, quote, UsageError } from "./options.ts";

/** An option with a letter, a longer name, or both. */
export interface ShortOptionSpec {
  /** One character, as in `-r`. */
  readonly letter?: string;
  /** As in `--count`. */
  readonly name?: string;
  /** What its value is called in the help; without one it is a flag. */
  readonly value?: string;
  /** Whether it may come again: `-tt`. */
  readonly repeats?: boolean;
  /** What it does: a few words for the help. */
  readonly help: string;
  /** Of an option that other programs have: what to do instead. It is refused with that, and not in the help. */
  readonly instead?: string;
}

/** What was given. */
export interface ShortOptions {
  /** Values by letter, or by name where there is no letter. */
  readonly values: ReadonlyMap<string, string>;
  /** How often each was given. */
  readonly times: ReadonlyMap<string, number>;
  /** The words that are no options, in order. */
  readonly rest: readonly string[];
}

/** The option that explains the others. */
export const SHORT_HELP: ShortOptionSpec = { letter: "h", ...HELP_OPTION };

/**
 * Reads `args`.
 *
 * @throws {UsageError} that names what was not understood.
 */
export function readShortOptions(
  args: readonly string[],
  specs: readonly ShortOptionSpec[],
): ShortOptions {
  const values = new Map<string, string>();
  const times = new Map<string, number>();
  let at = 0;
  const take = (spec: ShortOptionSpec, given: string | undefined) => {
    if (spec.instead !== undefined) {
      throw new UsageError(`${titleOf(spec)} is not here: ${spec.instead}`);
    }
    const key = keyOf(spec);
    const count = (times.get(key) ?? 0) + 1;
    if (count > 1 && spec.repeats !== true) {
      throw new UsageError(`${titleOf(spec)} is given twice; give it once`);
    }
    times.set(key, count);
    if (spec.value === undefined) return;
    const value = given ?? args[at++];
    if (value === undefined || value === "") {
      throw new UsageError(
        `${titleOf(spec)} needs a value: ${titleOf(spec)} ${spec.value}`,
      );
    }
    values.set(key, value);
  };
  const rest: string[] = [];
  while (at < args.length) {
    const arg = args[at++]!;
    if (arg === "--") {
      return { values, times, rest: [...rest, ...args.slice(at)] };
    }
    if (arg === "-" || !arg.startsWith("-")) rest.push(arg);
    else if (arg.startsWith("--")) takeLong(arg, specs, take);
    else takeLetters(arg, specs, take);
  }
  return { values, times, rest };
}

type Take = (spec: ShortOptionSpec, given: string | undefined) => void;

function takeLong(
  arg: string,
  specs: readonly ShortOptionSpec[],
  take: Take,
): void {
  const equals = arg.indexOf("=");
  const name = arg.slice(2, equals < 0 ? undefined : equals);
  const spec = specs.find((each) => each.name === name);
  if (spec === undefined) {
    const names = specs.flatMap((each) => each.name ?? []);
    const meant = nearest(name, names);
    throw new UsageError(
      `unknown option ${quote(`--${name}`)}${
        meant === undefined ? "" : `; did you mean --${meant}?`
      }`,
    );
  }
  if (
    spec.instead === undefined && spec.value === undefined && equals >= 0
  ) {
    throw new UsageError(`--${name} takes no value`);
  }
  take(spec, equals < 0 ? undefined : arg.slice(equals + 1));
}

/** Letters in one word; one that wants a value takes the rest of it, or the next. */
function takeLetters(
  arg: string,
  specs: readonly ShortOptionSpec[],
  take: Take,
): void {
  for (let at = 1; at < arg.length; at++) {
    const letter = arg[at]!;
    const spec = specs.find((each) => each.letter === letter);
    if (spec === undefined) {
      throw new UsageError(
        `unknown option ${quote(`-${letter}`)}; --help lists the options`,
      );
    }
    if (spec.value === undefined) {
      take(spec, undefined);
      continue;
    }
    const rest = arg.slice(at + 1);
    take(spec, rest === "" ? undefined : rest);
    return;
  }
}

function keyOf(spec: ShortOptionSpec): string {
  return spec.letter ?? spec.name ?? "";
}

function titleOf(spec: ShortOptionSpec): string {
  return spec.letter === undefined ? `--${spec.name}` : `-${spec.letter}`;
}

/** The options as lines of help, in two columns. */
export function describeShortOptions(
  specs: readonly ShortOptionSpec[],
): string[] {
  const titles = specs.map(({ letter, name, value }) => {
    const forms = [
      ...(letter === undefined ? [] : [`-${letter}`]),
      ...(name === undefined ? [] : [`--${name}`]),
    ].join(", ");
    return value === undefined ? forms : `${forms} ${value}`;
  });
  const width = Math.max(...titles.map((title) => title.length));
  return specs.flatMap(({ help }, index) => {
    const [first = "", ...more] = wrapped(help, LINE_COLUMNS - width - 4);
    return [
      `  ${titles[index]!.padEnd(width)}  ${first}`,
      ...more.map((line) => " ".repeat(width + 4) + line),
    ];
  });
}

/** Columns of a line of help. */
const LINE_COLUMNS = 80;

/** Breaks a text into lines of at most `columns`, between words. */
function wrapped(text: string, columns: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length <= columns || line === "") {
      lines[lines.length - 1] = longer;
    } else lines.push(word);
  }
  return lines;
}
