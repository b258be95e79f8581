/** `sallyport up`: runs a system until it is told to stop. */

import type { Boot, UpSystem } from "./boot.ts";
import {
  type Command,
  describeError,
  STATUS_FAILED,
  STATUS_FINE,
  STATUS_INTERRUPTED,
} from "../command/command.ts";
import { makeView, type View } from "../screen/console.ts";
import { refuseTerminal } from "../command/same_file.ts";
import { stopOnInterrupt } from "../command/interrupt.ts";
import { readOptions } from "../command/options.ts";
import type { Terminal } from "../screen/terminal.ts";
import { readPlan, UP_HELP, UP_OPTIONS, type UpPlan } from "./options.ts";

/** The command `up`, which starts systems with `boot`. */
export function upCommand(boot: Boot): Command {
  return {
    name: "up",
    aliases: ["start"],
    summary: "run a system: a NIC, and the services behind it",
    run: async (args, terminal) => {
      const options = readOptions(args, UP_OPTIONS);
      if (options.has("help")) {
        terminal.write(UP_HELP);
        return STATUS_FINE;
      }
      const plan = await readPlan(options, terminal);
      refuseTerminal("--write", plan.manifest.write, terminal);
      return await up(plan, terminalFor(plan, terminal), boot);
    },
  };
}

/** Where a capture goes to standard output, lines go to standard error. */
function terminalFor({ manifest }: UpPlan, terminal: Terminal): Terminal {
  if (manifest.write !== "-") return terminal;
  return {
    ...terminal,
    interactive: false,
    write: (text) => {
      terminal.writeError(text);
      return true;
    },
  };
}

/** Why a run ended; an error makes it a failure. */
interface Stop {
  readonly error?: unknown;
}

async function up(
  plan: UpPlan,
  terminal: Terminal,
  boot: Boot,
): Promise<number> {
  const stop = Promise.withResolvers<Stop>();
  using view = makeView(terminal, { json: plan.json });
  using _interrupts = stopOnInterrupt(terminal, () => {
    view[Symbol.dispose]();
    terminal.exit(STATUS_INTERRUPTED);
  }, () => stop.resolve({}));
  const failed = new Set<string>();
  const system = await boot(plan.manifest, {
    confined: plan.confined,
    onRestart: ({ service, failure, delayMs }) => {
      const who = service === undefined ? "the driver" : `service ${service}`;
      view.warn(describeError(
        delayMs === Infinity
          ? `${failure}; waiting for it to be back`
          : `${who} failed: ${failure}; started again in ${delayMs / 1000} s`,
      ));
    },
    onNotice: (text) => view.warn(describeError(text)),
    onServiceFailed: (name, failure) => {
      failed.add(name);
      view.warn(describeError(`service ${name} failed: ${failure}`));
      if (failed.size < Object.keys(plan.manifest.services).length) return;
      stop.resolve({ error: new Error("every service has failed") });
    },
  });
  if (plan.picture !== undefined) {
    return await printPicture(system, plan.picture, terminal);
  }
  const end = await watch(system, view, { stop, forMs: plan.forMs });
  const last = await system.stop().catch((error) => {
    throw end.error ?? error; // what went wrong first
  });
  view.finish(last);
  if (end.error !== undefined) throw end.error;
  return failed.size === 0 ? STATUS_FINE : STATUS_FAILED;
}

/** Prints what is wired, and stops the system. */
async function printPicture(
  system: UpSystem,
  format: "text" | "dot",
  terminal: Terminal,
): Promise<number> {
  try {
    terminal.write(await system.picture({ format }));
  } finally {
    await system.stop();
  }
  return STATUS_FINE;
}

/** Shows the system until it ends, or is to end. */
async function watch(
  system: UpSystem,
  view: View,
  until: {
    readonly stop: PromiseWithResolvers<Stop>;
    readonly forMs: number | undefined;
  },
): Promise<Stop> {
  const { promise, resolve } = until.stop;
  const fail = (error: unknown) => resolve({ error });
  let over = false;
  system.ended.then((ending) => {
    if (ending.reason === "failed") fail(ending.error);
    else if (ending.warning === undefined) resolve({});
    else fail(new Error(ending.warning));
  }, fail);
  let busy = false;
  const tick = async () => {
    if (busy) return;
    busy = true;
    try {
      const snapshot = await system.snapshot();
      if (!over && !view.update(snapshot)) resolve({});
    } catch (error) {
      fail(error);
    } finally {
      busy = false;
    }
  };
  const timers = [
    ...(until.forMs === undefined
      ? []
      : [setTimeout(() => resolve({}), until.forMs)]),
    ...(view.periodMs === Infinity ? [] : [setInterval(tick, view.periodMs)]),
  ];
  if (view.periodMs !== Infinity) tick();
  try {
    return await promise;
  } finally {
    over = true;
    timers.forEach(clearTimeout);
  }
}
