/** A command of `sallyport`, and the one place where errors become words. */

import { FilterError } from "../../services/filter/language/error.ts";
import { ModuleError } from "../../services/loader/module_error.ts";
import { ManifestError } from "../../services/manifest/manifest.ts";
import { nearest } from "../../services/manifest/nearest.ts";
import { quote, UsageError } from "./options.ts";
import type { Terminal } from "../screen/terminal.ts";
import { printable } from "../screen/text.ts";

/** Exit status of a command that did what it was asked to. */
export const STATUS_FINE = 0;
/** Exit status of a command that failed. */
export const STATUS_FAILED = 1;
/** Exit status where the command line or the manifest was not understood, and nothing was done. */
const STATUS_USAGE = 2;
/** Exit status after a second interrupt: 128 + SIGINT. */
export const STATUS_INTERRUPTED = 130;

/** One command. */
export interface Command {
  readonly name: string;
  /** Other names for it. */
  readonly aliases: readonly string[];
  /** What it does, in a few words. */
  readonly summary: string;
  /** Runs it. Returns the exit status. */
  run(args: readonly string[], terminal: Terminal): Promise<number>;
}

/** What a run of the command line needs. */
export interface CommandLine {
  readonly commands: readonly Command[];
  /** What `--version` prints. */
  readonly version: string;
  /** Whether errors come with their stack. */
  readonly debug: boolean;
}

/**
 * Runs `sallyport ARGS`. Every error becomes one line on standard error, one
 * more for each further field of a manifest. Returns the exit status.
 */
export async function runCommandLine(
  args: readonly string[],
  terminal: Terminal,
  line: CommandLine,
): Promise<number> {
  try {
    return await dispatch(args, terminal, line);
  } catch (error) {
    reportError(error, terminal, line.debug);
    const usage = error instanceof UsageError ||
      error instanceof ManifestError || error instanceof FilterError ||
      error instanceof ModuleError;
    return usage ? STATUS_USAGE : STATUS_FAILED;
  }
}

async function dispatch(
  [name, ...rest]: readonly string[],
  terminal: Terminal,
  line: CommandLine,
): Promise<number> {
  if (name === undefined) {
    terminal.writeError(describeCommands(line.commands));
    return STATUS_USAGE;
  }
  if (["help", "--help", "-h"].includes(name)) {
    return await help(rest, terminal, line.commands);
  }
  if (name === "--version") {
    terminal.write(`${line.version}\n`);
    return STATUS_FINE;
  }
  return await find(name, line.commands).run(rest, terminal);
}

async function help(
  [topic]: readonly string[],
  terminal: Terminal,
  commands: readonly Command[],
): Promise<number> {
  if (topic !== undefined) {
    return await find(topic, commands).run(["--help"], terminal);
  }
  terminal.write(describeCommands(commands));
  return STATUS_FINE;
}

function find(name: string, commands: readonly Command[]): Command {
  const found = commands.find((command) =>
    command.name === name || command.aliases.includes(name)
  );
  if (found !== undefined) return found;
  const names = commands.flatMap((each) => [each.name, ...each.aliases]);
  const meant = nearest(name, [...names, "help"]);
  throw new UsageError(
    `unknown command ${quote(name)}; ${
      meant === undefined
        ? "`sallyport help` lists them"
        : `did you mean ${meant}?`
    }`,
  );
}

function describeCommands(commands: readonly Command[]): string {
  const rows = [
    ...commands.map(({ name, aliases, summary }) => ({
      title: [name, ...aliases].join(", "),
      summary,
    })),
    { title: "help [COMMAND]", summary: "explain a command, or list them" },
    { title: "--version", summary: "print the version" },
  ];
  const width = Math.max(...rows.map(({ title }) => title.length));
  return [
    "usage: sallyport COMMAND [OPTION…]",
    "",
    ...rows.map(({ title, summary }) => `  ${title.padEnd(width)}  ${summary}`),
    "",
  ].join("\n");
}

/**
 * Tells a person what went wrong: one line, or one for each field of a
 * manifest; with `debug` the stack too.
 */
export function reportError(
  error: unknown,
  terminal: Pick<Terminal, "writeError">,
  debug: boolean,
): void {
  terminal.writeError(describeError(error));
  if (debug && error instanceof Error) terminal.writeError(`${error.stack}\n`);
}

/** What went wrong, as {@link reportError} writes it. */
export function describeError(error: unknown): string {
  const [first, ...rest] = linesOf(error);
  // What a filter's error quotes stays as it is, the caret in its column.
  const before = error instanceof FilterError ? "" : "sallyport: ";
  return `sallyport: ${first}\n` +
    rest.map((each) => `${before}${each}\n`).join("");
}

function linesOf(error: unknown): string[] {
  const message = error instanceof Error ? error.message : String(error);
  const lines = message.split("\n").map(printable)
    .filter((each) => each.trim() !== "");
  if (
    error instanceof ManifestError || error instanceof FilterError ||
    error instanceof ModuleError
  ) {
    return lines;
  }
  return [lines.join("; ") || "failed without saying why"];
}
