/**
 * Runs services in a driver's worker. A third party's module is checked and compiled
 * as for a worker of its own; but nothing here is hardened and nothing taken away:
 * it shares the driver's globals, and may do what the driver may.
 */

import type { RunCalled } from "../../../drivers/service/called_services.ts";
import type { ServiceDefinition } from "../../core/definition.ts";
import { failureOf, startService } from "../../core/start.ts";
import { definitionOf } from "../../loader/factory.ts";
import { serviceKit } from "../../loader/kit.ts";
import { CORES } from "../../manifest/cores.ts";
import type { CalledStart } from "./messages.ts";

/** Runs a service of ours, or the module that comes with its start. */
export const runCalled: RunCalled = (service, end) => {
  const called = service as CalledStart;
  const { start } = called;
  definitionFor(called)
    .then((definition) => startService(definition, start, { end }))
    .catch((error) => start.control.postMessage(failureOf(error)));
};

async function definitionFor(
  { core, start }: CalledStart,
): Promise<ServiceDefinition> {
  if (core === "module") {
    const { default: exported } = await import(start.module!);
    return definitionOf(exported, serviceKit);
  }
  // Its settings have the fields that its own core reads.
  return CORES.find(({ name }) => name === core)!
    .definition as ServiceDefinition;
}
