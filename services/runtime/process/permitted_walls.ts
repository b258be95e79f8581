/** What a program may put in front of a process that it starts: util-linux's walls, where it may run those. */

import { denoPath, mayRun } from "./permitted_deno.ts";

/** By the limit of its data: it is tried once. */
const found = new Map<number, readonly string[]>();

/**
 * Words in front of a command that have the kernel limit its data to
 * `dataBytesMax`, give it no new privileges, and kill it when the thread ends
 * that started it; fewer where this program may not run `prlimit` or `setpriv`,
 * and none where they do not work.
 */
export function permittedWalls(dataBytesMax: number): readonly string[] {
  const walls = found.get(dataBytesMax) ?? tried([
    ...(mayRun("prlimit") ? ["prlimit", `--data=${dataBytesMax}`, "--"] : []),
    ...(mayRun("setpriv")
      ? ["setpriv", "--pdeathsig", "KILL", "--no-new-privs", "--"]
      : []),
  ]);
  found.set(dataBytesMax, walls);
  return walls;
}

/** `walls`, if Deno runs behind them. */
function tried(walls: readonly string[]): readonly string[] {
  const [program, ...args] = walls;
  if (program === undefined) return walls;
  try {
    const { success } = new Deno.Command(program, {
      args: [...args, denoPath(), "--version"],
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).outputSync();
    return success ? walls : [];
  } catch {
    return [];
  }
}
