/** The domain of a third party's service: the shell first, then its code. */

import { serveStart } from "../core/serve.ts";
import { startService } from "../core/start.ts";
import { definitionOf } from "./factory.ts";
import { harden } from "./harden.ts";
import { serviceKit } from "./kit.ts";

/** Runs the module that comes with the first message, when its ports are taken. */
export function serveModule(): void {
  serveStart(async (start, turns) => {
    harden(serviceKit, turns.fail);
    const { default: exported } = await import(start.module!);
    await startService(definitionOf(exported, serviceKit), start, turns);
  });
}
