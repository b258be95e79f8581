/**
 * What the kernel can hold a child process back from, by util-linux's `setpriv`
 * and `unshare` in front of its command.
 *
 * What may be had depends on more than can be asked (capabilities, user
 * namespaces, seccomp, AppArmor, the mode of a folder on the way to a program):
 * so a command is run behind the walls, and each wall that it does not get
 * behind is left out, with the reason.
 *
 * ```
 * unshare --net … -- setpriv --reuid … --no-new-privs --pdeathsig KILL -- COMMAND
 * ```
 *
 * A parent that is killed before `setpriv` has asked for its signal is not
 * noticed by the kernel: a program that may never read its input compares its
 * parent's number (`Deno.ppid`) when it begins, which is after that.
 */

import { given } from "../../caps/kernel/given.ts";
import { hasCapability } from "./capabilities.ts";
import { failureOf } from "./child_failure.ts";
import { ChildProcess } from "./child_process.ts";
import { CAP_KILL } from "./process_abi.ts";
import { findProgram } from "./programs.ts";

/** The user and group that a distribution has for those who own nothing. */
const NOBODY = 65_534;

/** How long a command may take to show that it can be run. */
const PROBE_MS = 5000;

/** Who is to be walled in. */
export interface WallOptions {
  /** The user that this process runs as; 0 is root. */
  readonly uid: number;
  /**
   * A command that ends well at once, and reads what is to be read behind the
   * walls: the very program that is to run there. By default `setpriv --version`.
   */
  readonly probe?: readonly string[];
  /** Why the child has to be of the same user, if it has. */
  readonly sameUser?: string;
}

/** What a child can be held back by here. */
export interface Walls {
  /** Words in front of a command; none where nothing may be had. */
  readonly prefix: readonly string[];
  /** What holds, in words. */
  readonly walls: readonly string[];
  /** What does not, and why: a line each. */
  readonly missing: readonly string[];
}

interface Wall {
  /** What holds where it stands. */
  readonly holds: string;
  readonly program: "unshare" | "setpriv";
  readonly flags: readonly string[];
  /** Why it is not tried at all. */
  readonly hindrance?: string;
}

/**
 * Finds out what a child can be held back by here: takes the time that the probe
 * takes, once where everything may be had, and at most six times.
 *
 * @throws {Error} when the probe cannot be run at all.
 */
export function wallsFor(options: WallOptions): Walls {
  const wanted = wallsOf(options);
  const missing = wanted.flatMap((wall) => {
    const why = whyUntried(wall);
    return why === undefined ? [] : [`${wall.holds}: ${why}`];
  });
  const tried = wanted.filter((wall) => whyUntried(wall) === undefined);
  let holding = tried;
  if (whyNotBehind(tried, options) !== undefined) {
    const why = whyNotBehind([], options);
    if (why !== undefined) throw new Error(`without any wall: ${why}`);
    holding = [];
    for (const wall of tried) {
      const why = whyNotBehind([...holding, wall], options);
      if (why === undefined) holding.push(wall);
      else missing.push(`${wall.holds}: ${why}`);
    }
  }
  const walls = holding.map(({ holds }) => holds);
  return { prefix: prefixOf(holding), walls, missing };
}

/** All walls, those first that may be had nearly everywhere. */
function wallsOf({ uid, sameUser }: WallOptions): Wall[] {
  const isRoot = uid === 0;
  const user = ["--reuid", `${NOBODY}`, "--regid", `${NOBODY}`];
  const nothing = ["--clear-groups", "--bounding-set=-all", "--inh-caps=-all"];
  return [
    {
      // That of the thread, which outlives no process.
      holds: "killed when the thread ends that started it",
      program: "setpriv",
      flags: ["--pdeathsig", "KILL"],
    },
    {
      holds: "no new privileges",
      program: "setpriv",
      flags: ["--no-new-privs"],
    },
    {
      holds: `user ${NOBODY}, who has no capability`,
      program: "setpriv",
      flags: [...user, ...nothing],
      ...given({
        hindrance: sameUser ?? (isRoot ? whyUnkillable() : NOT_ROOT),
      }),
    },
    {
      holds: "an empty network, and IPC of its own",
      program: "unshare",
      // Who is not root may have a network of his own as root of a user namespace.
      flags: [...isRoot ? [] : ["--user"], "--net", "--ipc", "--uts"],
    },
  ];
}

const NOT_ROOT = "only root can start it as another user";

/** Who may not send signals to other users could not end such a child. */
function whyUnkillable(): string | undefined {
  return hasCapability(CAP_KILL)
    ? undefined
    : "this process lacks CAP_KILL, without which it could not end it";
}

function whyUntried({ program, hindrance }: Wall): string | undefined {
  if (hindrance !== undefined) return hindrance;
  return findProgram(program) === undefined
    ? `there is no ${program} on this machine: install util-linux`
    : undefined;
}

/** Words in front of a command: first the namespaces, which take capabilities. */
function prefixOf(walls: readonly Wall[]): string[] {
  return (["unshare", "setpriv"] as const).flatMap((program) => {
    const flags = walls.filter((wall) => wall.program === program)
      .flatMap(({ flags }) => flags);
    return flags.length === 0 ? [] : [findProgram(program)!, ...flags, "--"];
  });
}

/** Why a command cannot be run behind these walls; undefined where it can. */
function whyNotBehind(
  walls: readonly Wall[],
  { probe }: WallOptions,
): string | undefined {
  const [first] = walls;
  if (probe === undefined && first === undefined) return undefined;
  const command = probe ?? [findProgram(first!.program)!, "--version"];
  using child = new ChildProcess({ command: [...prefixOf(walls), ...command] });
  return failureOf(child, command[0]!, PROBE_MS);
}
