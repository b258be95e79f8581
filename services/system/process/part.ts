/** The one module that runs every protocol's core in a process: so their code is put together once. */

import type { ProcessPart } from "../parts.ts";

const MODULE = new URL("./main.ts", import.meta.url);

/** What runs a protocol's core, by its name. */
export function processPart(core: string): ProcessPart {
  return { module: MODULE, argument: core };
}
