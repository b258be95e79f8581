/** Which lines of the sources a test file runs, its workers and child processes included. */

/** Lines, from 1, by file from the folder's root. */
export type CoveredLines = ReadonlyMap<string, ReadonlySet<number>>;

/** The lines that an LCOV report says were run, of files in `folder`. */
export function coveredLines(lcov: string, folder: string): CoveredLines {
  const all = new Map<string, Set<number>>();
  let lines = new Set<number>();
  for (const record of lcov.split("\n")) {
    if (record.startsWith("SF:")) {
      lines = new Set();
      const path = record.slice("SF:".length);
      if (path.startsWith(`${folder}/`)) {
        all.set(path.slice(folder.length + 1), lines);
      }
    } else if (record.startsWith("DA:")) {
      const [line, count] = record.slice(3).split(",").map(Number);
      if (count! > 0) lines.add(line!);
    }
  }
  return all;
}

/** Reads what `deno test --coverage` left in `profile`, of sources in `folder`. */
export async function readCoverage(
  profile: string,
  folder: string,
): Promise<CoveredLines> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["coverage", "--quiet", "--lcov", profile],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  const words = new TextDecoder();
  if (!success) throw new Error(words.decode(stderr));
  return coveredLines(words.decode(stdout), folder);
}
