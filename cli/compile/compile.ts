/** `sallyport compile`: what each stage of the filter compiler makes of a text. */

import { type Command, STATUS_FINE } from "../command/command.ts";
import { COMPILE_HELP, readCompilePlan } from "./options.ts";
import { emitStage } from "./stages.ts";
import { quote, UsageError } from "../command/options.ts";
import { keepPermissions } from "../up/permissions.ts";
import type { Terminal } from "../screen/terminal.ts";

/** The command `compile`. */
export const compileCommand: Command = {
  name: "compile",
  aliases: [],
  summary: "print what a stage of the filter compiler makes of a text",
  run: async (args, terminal) => {
    const plan = readCompilePlan(args);
    if (plan === undefined) {
      terminal.write(COMPILE_HELP);
      return STATUS_FINE;
    }
    const { output } = plan;
    await keepPermissions(output === undefined ? [] : ["write"]);
    if (
      plan.stage === "wasm" && output === undefined && terminal.interactive
    ) {
      throw new UsageError(
        "--emit=wasm gives bytes: name a file with --output, or use --emit=wat",
      );
    }
    const made = emitStage(plan);
    if (output === undefined) print(made, terminal);
    else write(made, output);
    return STATUS_FINE;
  },
};

function print(made: string | Uint8Array, terminal: Terminal): void {
  if (typeof made === "string") terminal.write(made);
  else terminal.writeBytes(made);
}

function write(made: string | Uint8Array, path: string): void {
  try {
    if (typeof made === "string") Deno.writeTextFileSync(path, made);
    else Deno.writeFileSync(path, made);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`--output ${quote(path)}: cannot write it (${reason})`);
  }
}
