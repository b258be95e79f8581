/**
 * The command line: `sallyport up`, `capture` and `compile`.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import type { Boot } from "./up/boot.ts";
import { captureCommand } from "./capture/capture.ts";
import type { BootPaused } from "./capture/nic.ts";
import {
  type Command,
  reportError,
  runCommandLine,
  STATUS_FAILED,
} from "./command/command.ts";
import { compileCommand } from "./compile/compile.ts";
import { dropPermissions, dropRest } from "./up/permissions.ts";
import { processTerminal, type Terminal } from "./screen/terminal.ts";
import { upCommand } from "./up/up.ts";

/** Loads the system only when one is started: the rest needs nothing of it. */
const boot: Boot = async (manifest, options) => {
  await dropPermissions(manifest);
  const system = await import("../services/system/boot.ts");
  const running = await system.boot(manifest, options);
  if (options.confined) await dropRest();
  return running;
};

const bootPaused: BootPaused = async (manifest) => {
  const system = await import("../services/system/boot.ts");
  return await system.boot(manifest, { confined: false, paused: true });
};

const COMMANDS: readonly Command[] = [
  upCommand(boot),
  captureCommand(bootPaused),
  compileCommand,
];

if (import.meta.main) {
  const terminal = processTerminal();
  const debug = isDebug();
  endOnStrayErrors(terminal, debug);
  const status = await runCommandLine(Deno.args, terminal, {
    commands: COMMANDS,
    version: `sallyport ${config.version} (deno ${Deno.version.deno})`,
    debug,
  });
  Deno.exit(status);
}

/** Reports an error that was not awaited like every other. */
function endOnStrayErrors(terminal: Terminal, debug: boolean): void {
  const end = (event: Event, error: unknown) => {
    event.preventDefault();
    reportError(error, terminal, debug);
    Deno.exit(STATUS_FAILED);
  };
  addEventListener("error", (event) => end(event, event.error));
  addEventListener(
    "unhandledrejection",
    (event) => end(event, event.reason),
  );
}

function isDebug(): boolean {
  try {
    return Deno.env.get("SALLYPORT_DEBUG") === "1";
  } catch {
    return false; // no permission to look
  }
}
