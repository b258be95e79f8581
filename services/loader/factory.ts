/** What a third party's module exports, and whether it does. */

import type { ServiceDefinition } from "../core/definition.ts";
import type { ServiceKit } from "./kit.ts";

/** The default export of a service's module. */
export type ServiceFactory = (kit: ServiceKit) => ServiceDefinition;

/**
 * The service that `exported` makes.
 * @throws {TypeError} that says what is missing.
 */
export function definitionOf(
  exported: unknown,
  kit: ServiceKit,
): ServiceDefinition {
  if (typeof exported !== "function") {
    throw new TypeError(
      `the module's default export is a ${typeof exported}; expected a function that takes the kit and returns the service`,
    );
  }
  const made: unknown = (exported as ServiceFactory)(kit);
  const { receives, sends, make } = (made ?? {}) as Partial<ServiceDefinition>;
  for (const [name, part] of Object.entries({ receives, sends, make })) {
    if (typeof part === "function") continue;
    throw new TypeError(
      `the service has no function "${name}"; expected receives, sends and make`,
    );
  }
  return made as ServiceDefinition;
}
