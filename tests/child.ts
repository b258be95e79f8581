/** Programs of this project's runtime, run as children that are asked nothing. */

import { given } from "../caps/kernel/given.ts";

/** What a child printed, and how it ended. */
export interface ChildOutput {
  /** Exit status. */
  readonly code: number;
  /** What it printed, by line. */
  readonly lines: readonly string[];
  /** What it complained of. */
  readonly errors: string;
}

/** Runs `deno run --no-prompt` with `args`, in `cwd`. */
export async function denoRun(
  args: readonly string[],
  cwd?: string,
): Promise<ChildOutput> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...args],
    ...given({ cwd }),
    env: { NO_COLOR: "1" },
    stdin: "null",
  });
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return {
    code,
    lines: text.decode(stdout).split("\n").slice(0, -1),
    errors: text.decode(stderr),
  };
}
