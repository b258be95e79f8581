/** What the services of a manifest may not have in common, and what they may name. */

import type { Protocol } from "../core/protocol.ts";
import { showValue } from "../fields/show_value.ts";
import { type IpPrefix, sameIpAddress } from "../wire/ip_address.ts";
import type { Complain } from "./error.ts";
import { checkPorts } from "./ports.ts";
import type { ServiceManifest } from "./service.ts";
import { checkAddresses } from "./service_addresses.ts";

/** The most services of one system. */
const SERVICES_MAX = 64;

type Services = Readonly<Record<string, ServiceManifest>>;

/**
 * Complains of too few or too many services, of addresses that are not the system's,
 * of two services that want the same packets, and of names of others.
 */
export function checkServices(
  { services, address: system }: {
    readonly services: Services;
    readonly address: readonly IpPrefix[];
  },
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
  for (const [name, { addresses }] of Object.entries(services)) {
    if (addresses === undefined) continue;
    checkAddresses(name, addresses, system, complain);
  }
  checkDistinct(services, cores, complain);
  checkWatched(services, complain);
  checkPorts(services, complain);
}

/**
 * No two services of one VLAN may want the same packets of one address: siblings'
 * grants never overlap.
 */
function checkDistinct(
  services: Services,
  cores: readonly Protocol[],
  complain: Complain,
): void {
  /** By what they want: the services that have it, each of addresses of its own. */
  const holders = new Map<string, string[]>();
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
    const others = holders.get(what) ?? [];
    const holder = others.find((other) => meet(service, services[other]!));
    if (holder === undefined) {
      holders.set(what, [...others, name]);
      continue;
    }
    complain(
      ["services", name, distinctBy[0] ?? "core"],
      `expected packets that no other service has; "${holder}" is ${what} already`,
    );
  }
}

/** Whether both have one address; without any of its own, a service has all. */
function meet(
  { addresses: some }: ServiceManifest,
  { addresses: others }: ServiceManifest,
): boolean {
  if (some === undefined || others === undefined) return true;
  return some.some(({ address }) =>
    others.some((other) => sameIpAddress(other.address, address))
  );
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
