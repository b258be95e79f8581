/** Programs of the machine, as tests run them: none that the test has not said it needs. */

import { checkProgram } from "./needs.ts";

/** What a command did. */
export interface CommandResult {
  /** Exit status; 128 + signal's number when it was killed. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line, to be started. @throws where its program is no need of a test here. */
export function commandOf(
  words: readonly string[],
  options: Omit<Deno.CommandOptions, "args"> = {},
): Deno.Command {
  const [program, ...args] = words;
  checkProgram(program!);
  return new Deno.Command(program!, { ...options, args });
}

/** Runs a command to its end, which may be a failure. */
export async function tryCommand(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const output = await commandOf(words, { stdin: "null", env }).output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}

/** Runs a command to its end. @returns what it printed. @throws when it fails. */
export async function runCommand(words: readonly string[]): Promise<string> {
  const result = await tryCommand(words);
  if (result.code !== 0) throw failureOf(words, result);
  return result.stdout;
}

/** What went wrong with a command, in words. */
export function failureOf(
  words: readonly string[],
  result: CommandResult,
): Error {
  const said = `${result.stderr}${result.stdout}`.trim();
  return new Error(`${words.join(" ")}: status ${result.code}: ${said}`);
}
