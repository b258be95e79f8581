/**
 * Whether workers can be confined here. A worker's permissions are an unstable
 * option of Deno's, turned on by the program that runs, never by a library;
 * asking for them where they are off ends the process at once, past every
 * `catch` (exit status 70). So it is found out beforehand.
 */

import { type ChildProcess, fork } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";

const FLAG = "--unstable-worker-options";

/**
 * Makes sure that workers can be confined.
 *
 * @throws {Error} that says how to turn it on, when it is off. Where the runtime
 * does not tell (a compiled program), nothing is thrown.
 */
export function requireConfinement(): void {
  const flags = unstableFlags();
  if (flags === undefined || flags.includes(FLAG)) return;
  throw new Error(
    `boot: "confined" needs workers with permissions of their own, which are off in this program: add "unstable": ["worker-options"] to its deno.json, or run it with ${FLAG}; or say confined: "process" for processes, which need nothing unstable, or confined: false for everything in this thread`,
  );
}

/**
 * The unstable flags that this program runs with, as a child of it would get
 * them: the runtime puts them on the command line of what it forks. None is
 * forked: it asks for two IPC pipes, which is refused after the command line is
 * made and before anything starts.
 */
function unstableFlags(): readonly string[] | undefined {
  if (Deno.build.standalone) return undefined;
  let child: ChildProcess | undefined;
  const listen = (message: unknown) => {
    child = (message as { readonly process: ChildProcess }).process;
  };
  subscribe("child_process", listen);
  try {
    withoutCoverage(() =>
      fork("none", { execPath: "none", env: {}, stdio: ["ipc", "ipc"] })
    );
  } catch {
    // As it was meant to be.
  } finally {
    unsubscribe("child_process", listen);
  }
  return child === undefined || child.spawnargs.length === 0
    ? undefined
    : child.spawnargs;
}

/**
 * Runs `step` with the one variable unset that a fork looks up in the
 * environment whatever it is given: reading it would need a permission, or ask
 * the user for one.
 */
function withoutCoverage(step: () => void): void {
  const { get } = Deno.env;
  Deno.env.get = (name) => name === "NODE_V8_COVERAGE" ? undefined : get(name);
  try {
    step();
  } finally {
    Deno.env.get = get;
  }
}
