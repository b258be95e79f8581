/** The one module that runs every service in a process: so their code is put together once. */

import type { ProcessPart } from "../parts.ts";

const MODULE = new URL("./main.ts", import.meta.url);

/** What runs a protocol's core, by its name, or a third party's module: `module`. */
export function processPart(argument: string): ProcessPart {
  return { module: MODULE, argument };
}
