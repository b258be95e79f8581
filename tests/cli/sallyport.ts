/** The command line as users run it: a process of its own, with its own permissions. */

import { commandOf } from "../command.ts";

const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** What a process said, and its exit status. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** How a process is run. */
export interface RunOptions {
  /** What it reads from standard input; nothing by default. */
  readonly input?: Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

/** The words of `sallyport ARGS`, with the permissions of `deno task sallyport`. */
export function sallyportWords(args: readonly string[]): string[] {
  return [
    ...[Deno.execPath(), "run", "--quiet", "--no-prompt", "--cached-only"],
    ...["--deny-import", "--allow-read", "--allow-write", "--allow-ffi"],
    ...[
      "--allow-net",
      "--allow-env=SALLYPORT_DEBUG",
      `--config=${CONFIG}`,
      MAIN,
    ],
    ...args,
  ];
}

/** `sallyport ARGS`, to be started. */
export function sallyport(
  args: readonly string[],
  options: {
    readonly stdin: "null" | "piped";
    readonly env?: RunOptions["env"];
  },
): Deno.Command {
  return commandOf(sallyportWords(args), {
    env: { ...options.env },
    stdin: options.stdin,
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs `sallyport ARGS` to its end. */
export async function runSallyport(
  args: readonly string[],
  { input, env = {} }: RunOptions = {},
): Promise<Outcome> {
  const stdin = input === undefined ? "null" : "piped";
  const child = sallyport(args, { stdin, env }).spawn();
  const output = child.output();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(input).catch(() => {}); // it may have read enough
    await writer.close().catch(() => {});
  }
  return outcomeOf(await output);
}

/** Runs another program to its end. */
export async function runProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const command = commandOf([program, ...args], { env: { ...env } });
  return outcomeOf(await command.output());
}

function outcomeOf({ code, stdout, stderr }: Deno.CommandOutput): Outcome {
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}
