/** The worker of a third party's service: the shell first, then its code. */

import { failureOf, serveStart, startService } from "../core/start.ts";
import { definitionOf } from "./factory.ts";
import { harden } from "./harden.ts";
import { serviceKit } from "./kit.ts";

/** Runs the module that comes with the first message, when its ports are taken. */
export function serveModule(): void {
  serveStart(async (start) => {
    harden(
      serviceKit,
      (error) => start.control.postMessage(failureOf(error)),
    );
    const { default: exported } = await import(start.module!);
    await startService(definitionOf(exported, serviceKit), start, {
      ownThread: true,
    });
  });
}
