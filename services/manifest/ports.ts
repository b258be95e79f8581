/** Whom the services of a manifest may ask. */

import { z } from "zod";
import { PORTS_MAX } from "../core/ports.ts";
import { asked } from "../fields/field.ts";
import { showValue } from "../fields/show_value.ts";
import { PORT_NAME, PORT_NAME_EXPECTED } from "../ports/interface.ts";
import type { Complain } from "./error.ts";

/** The ports of a service: the names of services, by those of its ports. */
export const portsSchema: z.ZodType<Readonly<Record<string, string>>> = z
  .record(
    z.string().regex(PORT_NAME, asked(PORT_NAME_EXPECTED)),
    z.string(asked("the name of a service")),
    asked('ports such as {"resolver": "arp"}'),
  )
  .refine(
    (ports) => Object.keys(ports).length <= PORTS_MAX,
    asked(`at most ${PORTS_MAX} ports`),
  );

type Services = Readonly<
  Record<
    string,
    { readonly ports?: Readonly<Record<string, string>> | undefined }
  >
>;

/**
 * Complains of ports to nobody, and of ports that lead back to the service that
 * asks: each could wait for the other.
 */
export function checkPorts(services: Services, complain: Complain): void {
  for (const [asker, { ports = {} }] of Object.entries(services)) {
    for (const [name, answerer] of Object.entries(ports)) {
      const path = ["services", asker, "ports", name];
      if (!Object.hasOwn(services, answerer)) {
        complain(
          path,
          `expected the name of a service, got ${showValue(answerer)}`,
        );
        continue;
      }
      const loop = wayTo(asker, answerer, services);
      if (loop === undefined) continue;
      complain(
        path,
        `expected a service that asks nothing of this one, itself or through others, got ${
          showValue(answerer)
        }: ${[asker, ...loop].join(" -> ")}`,
      );
    }
  }
}

/** The services on a way by ports from `from` to `to`, both included; undefined when there is none. */
function wayTo(
  to: string,
  from: string,
  services: Services,
): readonly string[] | undefined {
  const seen = new Set([from]);
  const ways: (readonly string[])[] = [[from]];
  for (const way of ways) {
    const last = way.at(-1)!;
    if (last === to) return way;
    const ports = Object.hasOwn(services, last) ? services[last]!.ports : {};
    for (const next of Object.values(ports ?? {})) {
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}
