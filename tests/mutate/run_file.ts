/** Runs one test file as a child process, with limits. */

import { commandOf } from "../command.ts";

/** How a run ended. */
export type Ending =
  | "passed"
  | "failed"
  /** All its CPU time was used up: most likely a loop without an end. */
  | "looped"
  /** The limit of real time passed: it waits for what never comes. */
  | "late";

/** What a run is given. */
export interface RunOptions {
  /** The sources' root. */
  readonly folder: string;
  /** Test file, from there. */
  readonly test: string;
  /** Environment of the child, besides this process's. */
  readonly env: Readonly<Record<string, string>>;
  /** Limits: CPU time of each process, and real time less what others had the CPU. */
  readonly cpuS: number;
  readonly wallMs: number;
}

/** Shell script: limits itself to the CPU time $0 (in s), and becomes the command. */
const LIMITED = 'ulimit -S -c 0; ulimit -S -t "$0"; exec "$@"';

/** Shell script: runs the command, then prints what CPU time it used. */
const TIMED = '"$@" >/dev/null 2>&1; status=$?; times; exit $status';

/** Runs a test file until it ends, or a limit is reached. */
export async function runFile(options: RunOptions): Promise<Ending> {
  const child = commandOf(limited(options), {
    cwd: options.folder,
    env: { NO_COLOR: "1", ...options.env },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const startMs = performance.now();
  let late = false;
  let timer: ReturnType<typeof setTimeout>;
  const check = () => {
    const tookMs = performance.now() - startMs - starvedMs(child.pid);
    if (tookMs < options.wallMs) {
      timer = setTimeout(check, options.wallMs - tookMs);
      return;
    }
    late = true;
    child.kill("SIGKILL");
  };
  timer = setTimeout(check, options.wallMs);
  const { success, signal } = await child.status;
  clearTimeout(timer);
  if (late) return "late";
  if (signal === "SIGXCPU") return "looped";
  return success ? "passed" : "failed";
}

/** How long the process's main thread has waited for a CPU, in ms; 0 where that is not known. */
function starvedMs(pid: number): number {
  try {
    const [, delayNs] = Deno.readTextFileSync(`/proc/${pid}/schedstat`)
      .split(" ").map(Number);
    return delayNs! / 1e6;
  } catch {
    return 0;
  }
}

/** Runs a test file without limits: whether it passed, and the CPU time it used. */
export async function timeFile(
  options: Pick<RunOptions, "folder" | "test" | "env">,
): Promise<{ readonly passed: boolean; readonly cpuS: number }> {
  const { success, stdout } = await commandOf([
    "sh",
    "-c",
    TIMED,
    "sh",
    ...command(options),
  ], {
    cwd: options.folder,
    env: { NO_COLOR: "1", ...options.env },
    stdin: "null",
    stderr: "null",
  }).output();
  return {
    passed: success,
    cpuS: childrenCpuS(new TextDecoder().decode(stdout)),
  };
}

/** The CPU time of the shell's children, in s, from what `times` printed. */
export function childrenCpuS(times: string): number {
  const [, children = ""] = times.trim().split("\n");
  return children.split(" ")
    .map((time) => /^(\d+)m([\d.]+)s$/.exec(time))
    .reduce(
      (sum, found) => sum + 60 * Number(found![1]) + Number(found![2]),
      0,
    );
}

function limited(options: RunOptions): string[] {
  const cpuS = String(Math.ceil(options.cpuS));
  return ["sh", "-c", LIMITED, cpuS, ...command(options)];
}

function command({ test }: Pick<RunOptions, "test">): string[] {
  return [
    ...[Deno.execPath(), "test", "--no-check", "--no-prompt", "--cached-only"],
    ...["--allow-all", "--fail-fast", test],
  ];
}
