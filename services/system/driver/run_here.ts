/** Runs services in the driver's thread where that is the program's own. */

import type { RunCalled } from "../../../drivers/service/called_services.ts";
import { partOfService, type Parts } from "../parts.ts";
import type { CalledStart } from "./messages.ts";

/** Runs services of these parts. */
export function runHere(
  parts: Pick<Parts, "services" | "modules">,
): RunCalled {
  return (service, end) => {
    const { name, core, start } = service as CalledStart;
    partOfService(parts, name, core).here(start, end);
  };
}
