/** Puts together what the parts of a system say of themselves. */

import { given } from "../../caps/kernel/given.ts";
import { addCounts } from "../../caps/driver/accounts.ts";
import type {
  AccountCounts,
  DriverCounts,
} from "../../caps/driver/messages.ts";
import type { PortConnection } from "../core/ports.ts";
import type {
  CapabilityDescription,
  PortRefusals,
} from "../filter/service/messages.ts";
import type {
  CapabilitySnapshot,
  Counts,
  ServiceSnapshot,
  SystemSnapshot,
} from "./snapshot.ts";
import { formatMac } from "../wire/address.ts";
import { bothEnded, onceEnded } from "./driver/totals.ts";
import type { Interposing } from "./supervision/interposing.ts";
import type { Supervised } from "./supervision/supervised.ts";

/** What a snapshot is made of. */
export interface SnapshotParts {
  readonly uptimeMs: number;
  readonly address: string;
  readonly mac: Uint8Array;
  /** Whether it runs, and how often it was started again. */
  readonly nic: Pick<SystemSnapshot["nic"], "state" | "restarts" | "failure">;
  readonly driver: DriverCounts;
  readonly capabilities: readonly CapabilityDescription[];
  readonly refusals: readonly PortRefusals[];
  readonly services: readonly Supervised[];
  /** What a service's ports are connected with. */
  readonly connections: (service: string) => readonly PortConnection[];
  readonly interposing: Interposing;
  readonly peer: Counts | undefined;
}

/** The snapshot of those parts. */
export function snapshotOf(parts: SnapshotParts): SystemSnapshot {
  const { driver } = parts;
  return {
    uptimeMs: parts.uptimeMs,
    nic: {
      name: driver.name,
      mode: modeOf(driver),
      mac: formatMac(parts.mac),
      address: parts.address,
      ...(driver.netmask === undefined ? {} : { netmask: driver.netmask }),
      ...parts.nic,
      ended: driver.ended,
      receivedPackets: driver.receivedPackets,
      receivedBytes: driver.receivedBytes,
      sentPackets: driver.sentPackets,
      sentBytes: driver.sentBytes,
      counters: driver.counters,
    },
    unclaimedPackets: driver.unclaimedPackets,
    pages: driver.pages,
    services: parts.services.map((service) => serviceOf(service, parts)),
    ...given({ peer: parts.peer }),
  };
}

/** How the NIC works; and if it does not classify itself, why not. */
function modeOf({ mode, kernelRefusal }: DriverCounts): string {
  if (kernelRefusal === undefined) return mode;
  const [why] = kernelRefusal.split("\n", 1);
  return `${mode}; classified in packet memory: ${why}`;
}

function serviceOf(
  service: Supervised,
  parts: SnapshotParts,
): ServiceSnapshot {
  const accounts = new Map(
    parts.driver.accounts.map((account) => [account.slot, account]),
  );
  const own = parts.capabilities.filter(({ port }) => port === service.port);
  return {
    name: service.name,
    state: service.state,
    place: service.lastPlace,
    restarts: service.restarts.count,
    ...given({ failure: service.failure }),
    capabilities: [
      ...own
        .map((described, i) =>
          capabilityOf(
            `${service.name}#${i + 1}`,
            described,
            accounts.get(described.slot),
          )
        )
        // One that was narrowed to another and never got a packet itself is no news.
        .filter((capability, i) =>
          !own[i]!.narrowed || capability.deliveredPackets > 0
        ),
      ...endedOf(service, parts),
    ],
    counters: service.counters,
    ...portsOf(service, parts),
    ...interposersOf(service, parts),
    refusals: addCounts([
      service.refusals,
      ...[...parts.driver.refusals, ...parts.refusals]
        .filter(({ port }) => port === service.port)
        .map(({ refusals }) => refusals),
    ]),
  };
}

function portsOf(
  { name, portCounts }: Supervised,
  { connections }: SnapshotParts,
): Pick<ServiceSnapshot, "ports"> {
  if (portCounts.length === 0) return {};
  const connected = connections(name);
  const ports = portCounts.map((one) => ({
    ...one,
    peers: connected
      .filter(({ side, name }) => side === one.side && name === one.name)
      .map(({ peer }) => peer),
  }));
  return { ports };
}

function interposersOf(
  { name }: Supervised,
  { interposing }: SnapshotParts,
): Pick<ServiceSnapshot, "interposers"> {
  const interposers = interposing.snapshot(name);
  return interposers.length === 0 ? {} : { interposers };
}

/** Counts of a service's revoked capabilities, those of its earlier lives included. */
function endedOf(
  service: Supervised,
  { driver, capabilities }: SnapshotParts,
): CapabilitySnapshot[] {
  // The driver was asked first: what it knew may be revoked since.
  const live = new Set(capabilities.map(({ slot }) => slot));
  const gone = driver.accounts.filter(({ slot }) => !live.has(slot));
  const own = [...driver.endedAccounts, ...gone.map(onceEnded)]
    .filter(({ port }) => service.ports.has(port));
  if (own.length === 0) return [];
  const { port: _port, accounts, ...counts } = own.reduce(bothEnded);
  const label = `${service.name}#ended`;
  const filter = accounts === 1
    ? "a capability that has ended"
    : `${accounts} capabilities that have ended`;
  return [{ label, filter, quotaPages: 0, heldPages: 0, ...counts }];
}

function capabilityOf(
  label: string,
  described: CapabilityDescription,
  account: AccountCounts | undefined,
): CapabilitySnapshot {
  return {
    label,
    filter: described.filter,
    quotaPages: described.quotaPages,
    heldPages: account?.heldPages ?? 0,
    deliveredPackets: account?.deliveredPackets ?? 0,
    deliveredBytes: account?.deliveredBytes ?? 0,
    sentPackets: account?.sentPackets ?? 0,
    sentBytes: account?.sentBytes ?? 0,
    drops: account?.drops ?? {},
  };
}
