/** By which name a program may run Deno. */

/** The path of this very Deno. */
export function denoPath(): string {
  return Deno.execPath();
}

/**
 * The path of this very Deno, or the name `deno`, whichever this program may
 * run; undefined where it may run neither. A name and a path are permitted apart:
 * what `--allow-run=deno` finds on the PATH may be a link to this one.
 */
export function permittedDeno(): string | undefined {
  return [denoPath(), "deno"].find(mayRun);
}

/** Whether this program may run `command`. */
export function mayRun(command: string): boolean {
  const { state } = Deno.permissions.querySync({ name: "run", command });
  return state === "granted";
}
