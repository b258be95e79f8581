/** The command line as a process of its own, with a system that only counts. */

import { delay } from "@std/async/delay";
import { runCommandLine } from "../../cli/command/command.ts";
import { processTerminal } from "../../cli/screen/terminal.ts";
import { upCommand } from "../../cli/up/up.ts";
import { fakeSystem } from "./fake_system.ts";

const hangs = Deno.env.get("FAKE_HANGS") === "1";
const tells = Deno.env.get("FAKE_TELLS") === "1";
const { boot } = fakeSystem({
  // The second Ctrl-C is what must end a system that does not stop.
  onStop: async () => {
    if (!hangs) return;
    console.error("stopping");
    await delay(600_000);
  },
});

Deno.exit(
  await runCommandLine(Deno.args, processTerminal(), {
    commands: [
      upCommand(async (manifest, options) => {
        if (tells) console.error("booted");
        return await boot(manifest, options);
      }),
    ],
    version: "sallyport 0",
    debug: false,
  }),
);
