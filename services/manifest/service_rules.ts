/** What the services of a manifest may not have in common, and what they may name. */

import type { Protocol } from "../core/protocol.ts";
import { showValue } from "../fields/show_value.ts";
import type { Complain } from "./error.ts";
import type { ServiceManifest } from "./service.ts";

/** The most services of one system. */
const SERVICES_MAX = 64;

type Services = Readonly<Record<string, ServiceManifest>>;

/** Complains of too few or too many services, of two that want the same packets, and of names of others. */
export function checkServices(
  services: Services,
  cores: readonly Protocol[],
  complain: Complain,
): void {
  const names = Object.keys(services);
  if (names.length === 0) {
    complain(["services"], "expected at least one service, got none");
  }
  if (names.length > SERVICES_MAX) {
    complain(
      ["services"],
      `expected at most ${SERVICES_MAX} services, got ${names.length}`,
    );
  }
  checkDistinct(services, cores, complain);
  checkWatched(services, complain);
}

/** No two services of one VLAN may want the same packets: siblings' grants never overlap. */
function checkDistinct(
  services: Services,
  cores: readonly Protocol[],
  complain: Complain,
): void {
  const holders = new Map<string, string>();
  for (const [name, service] of Object.entries(services)) {
    const core = cores.find((one) => one.name === service.core);
    if (core === undefined) continue; // a module: checked when it is granted
    const { distinctBy } = core;
    const values = new Map(Object.entries(service));
    const where = distinctBy.map((field) =>
      ` on ${field} ${values.get(field)}`
    );
    const { vlan } = service;
    const within = vlan === undefined ? "" : ` in VLAN ${vlan}`;
    const what = core.name + where.join(" and") + within;
    const holder = holders.get(what);
    if (holder === undefined) {
      holders.set(what, name);
      continue;
    }
    complain(
      ["services", name, distinctBy[0] ?? "core"],
      `expected packets that no other service has; "${holder}" is ${what} already`,
    );
  }
}

/** Whom a service watches must be there. */
function checkWatched(services: Services, complain: Complain): void {
  for (const [name, { watch = [] }] of Object.entries(services)) {
    for (const watched of watch) {
      if (watched !== name && Object.hasOwn(services, watched)) continue;
      complain(
        ["services", name, "watch"],
        `expected names of other services, got ${showValue(watched)}`,
      );
    }
  }
}
