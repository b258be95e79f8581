/** The addresses of services: those of their system's that they name. */

import { given } from "../../caps/kernel/given.ts";
import {
  addressBits,
  formatIpAddress,
  formatIpPrefix,
  type IpAddress,
  type IpPrefix,
  sameIpAddress,
} from "../wire/ip_address.ts";
import type { Complain } from "./error.ts";
import type { ServiceWithoutPrefixes, ServiceWithoutQuota } from "./service.ts";

/** Gives each address that a service names without a prefix that of its system. */
export function fillPrefixes(
  services: Readonly<Record<string, ServiceWithoutPrefixes>>,
  system: readonly IpPrefix[],
): Record<string, ServiceWithoutQuota> {
  const filled = Object.entries(services).map(([name, service]) => {
    const { addresses, ...rest } = service;
    const own = addresses?.map(({ address, prefixBits }) => ({
      address,
      prefixBits: prefixBits ?? inSystem(address, system)?.prefixBits ??
        addressBits(address.version),
    }));
    return [name, { ...rest, ...given({ addresses: own }) }] as const;
  });
  return Object.fromEntries(filled);
}

/** Complains of addresses that are not the system's, or there twice, and of IPv6 alone. */
export function checkAddresses(
  name: string,
  own: readonly IpPrefix[],
  system: readonly IpPrefix[],
  complain: Complain,
): void {
  const path = ["services", name, "addresses"];
  own.forEach((one, i) => {
    const problem = problemOf(one, own.slice(0, i), system);
    if (problem !== undefined) complain([...path, String(i)], problem);
  });
  if (!own.some(({ address }) => address.version === 4)) {
    complain(path, "expected an IPv4 address among them, got IPv6 alone");
  }
}

function problemOf(
  one: IpPrefix,
  before: readonly IpPrefix[],
  system: readonly IpPrefix[],
): string | undefined {
  const text = formatIpAddress(one.address);
  const its = inSystem(one.address, system);
  if (its === undefined) {
    const known = system.map(formatIpPrefix).join(", ");
    return `expected an address of its system's (${known}), got ${text}; give it to the system too ("address"), or leave it out here`;
  }
  if (its.prefixBits !== one.prefixBits) {
    return `expected its system's prefix, ${
      formatIpPrefix(its)
    }, or none, got ${formatIpPrefix(one)}`;
  }
  return inSystem(one.address, before) === undefined
    ? undefined
    : `expected each address once, got ${text} again`;
}

function inSystem(
  address: IpAddress,
  system: readonly IpPrefix[],
): IpPrefix | undefined {
  return system.find((one) => sameIpAddress(one.address, address));
}
