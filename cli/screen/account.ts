/** Sums over a snapshot that several views show. */

import { addCounts, type Counts } from "../../caps/driver/accounts.ts";
import type {
  CapabilitySnapshot,
  PortSnapshot,
  ServiceSnapshot,
  SystemSnapshot,
} from "../../services/system/snapshot.ts";

const CORE_DROP = "drop:";

/** What one service got, sent and lost: all of its capabilities together. */
export interface ServiceAccount {
  /** Packets handed to it. */
  readonly receivedPackets: number;
  /** Packets that it had sent. */
  readonly sentPackets: number;
  /** Packets dropped by reason, at the NIC's driver and in its core. */
  readonly drops: Counts;
  /** Packets that the service's core dropped, by reason. */
  readonly coreDrops: Counts;
  /** What its core counted otherwise. */
  readonly counters: Counts;
}

/** Adds up a service. */
export function accountOf(service: ServiceSnapshot): ServiceAccount {
  const sum = (count: (capability: CapabilitySnapshot) => number) =>
    service.capabilities.reduce((total, each) => total + count(each), 0);
  const counters = Object.entries(service.counters);
  const isDrop = ([name]: [string, number]) => name.startsWith(CORE_DROP);
  const coreDrops: Counts = Object.fromEntries(
    counters.filter(isDrop).map((
      [name, count],
    ) => [name.slice(CORE_DROP.length), count]),
  );
  return {
    receivedPackets: sum((capability) => capability.deliveredPackets),
    sentPackets: sum((capability) => capability.sentPackets),
    drops: addCounts([
      ...service.capabilities.map(({ drops }) => drops),
      coreDrops,
    ]),
    coreDrops,
    counters: Object.fromEntries(counters.filter((entry) => !isDrop(entry))),
  };
}

/** All drops of all services, by reason. */
export function dropsOf(snapshot: SystemSnapshot): Counts {
  return addCounts(
    snapshot.services.map((service) => accountOf(service).drops),
  );
}

/** What has been counted since: `now - before`, name by name. */
export function countsSince(now: Counts, before: Counts): Counts {
  return Object.fromEntries(
    Object.entries(now).map(([name, count]) => [
      name,
      count - (Object.hasOwn(before, name) ? before[name]! : 0),
    ]),
  );
}

/** Words for where a service runs: `in the driver's thread`. */
export function placeWords({ place }: Pick<ServiceSnapshot, "place">): string {
  return PLACE_WORDS[place];
}

const PLACE_WORDS: Readonly<Record<ServiceSnapshot["place"], string>> = {
  here: "in this process",
  worker: "in a worker",
  process: "in a process",
  driver: "in the driver's thread",
};

/** What can fail, and be started again. */
export type Fallible = Pick<ServiceSnapshot, "restarts" | "failure"> & {
  readonly state: ServiceSnapshot["state"];
};

/** Words for a state: `failed after 5 restarts: it stopped answering`. Why it was away says nothing of one that runs again. */
export function stateOf({ state, restarts, failure }: Fallible): string {
  const times = restarts === 1 ? "1 restart" : `${restarts} restarts`;
  const after = restarts === 0 ? "" : ` after ${times}`;
  const why = failure === undefined || state === "running"
    ? ""
    : `: ${failure}`;
  return state + after + why;
}

/** Which end of which port, and who is at the other: `asks arp at resolver`, `answers nobody as neighbours`. */
export function portWords({ side, name, peers }: PortSnapshot): string {
  const who = peers.length === 0 ? "nobody" : peers.join(", ");
  return side === "ask"
    ? `asks ${who} at ${name}`
    : `answers ${who} as ${name}`;
}
