/**
 * What of a system is connected to what. Nothing here is read from a manifest:
 * holders are those that the driver service and the filter service say they
 * have, capabilities those that the filter service has issued, permissions
 * those that workers were started with.
 */

import type { DriverCounts } from "../../../caps/driver/messages.ts";
import type { PortId } from "../../../caps/kernel/kernel.ts";
import {
  RIGHT_DELEGATE,
  RIGHT_DERIVE,
  RIGHT_OBSERVE,
  RIGHT_RECEIVE,
  RIGHT_SEND,
  type Rights,
} from "../../../caps/kernel/rights.ts";
import type {
  CapabilityDescription,
  PortRefusals,
} from "../../filter/service/messages.ts";
import type { Place } from "../../runtime/thread.ts";
import { SYSTEM_PORT } from "../nic/connector.ts";

/** Something that runs, or is connected. */
export interface WiredPart {
  /** Unique in one system: `service udp-echo`. */
  readonly name: string;
  readonly kind:
    | "system"
    | "nic"
    | "memory"
    | "part"
    | "service"
    | "receiver"
    | "interposer";
  /** What it does now, where that can change. */
  readonly state?: string;
  /** Where it runs, and what it may do there; absent for what does not run. */
  readonly place?: Place;
}

/** A connection between two parts, by their names. */
export interface WiredChannel {
  readonly from: string;
  readonly to: string;
  readonly what:
    | "control"
    | "orders"
    | "data"
    | "calls"
    | "requests"
    | "frames"
    | "pages"
    | "port";
  /** Of a port between services: its name where it asks. */
  readonly name?: string;
  /** What the driver and the filter service know the holder by. */
  readonly port?: PortId;
}

/** A live capability. */
export interface WiredCapability {
  /** Place in the filter service's table; the root's is 0. */
  readonly slot: number;
  /** The slot of what it was derived from; absent for the root. */
  readonly parent?: number;
  /** The name of the part whose it is. */
  readonly holder: string;
  readonly port: PortId;
  /** The packets that it stands for, in words. */
  readonly filter: string;
  /** `receive`, `send`. */
  readonly rights: readonly string[];
  /** Absent for the root, whose pages are all that may be lent. */
  readonly quotaPages?: number;
}

/** A whole system's wiring. */
export interface Wiring {
  readonly parts: readonly WiredPart[];
  readonly channels: readonly WiredChannel[];
  readonly capabilities: readonly WiredCapability[];
}

/** A service or a receiver. */
export interface WiredHolder {
  readonly name: string;
  readonly kind: "service" | "receiver";
  readonly state?: string;
  readonly place?: Place | undefined;
  /** Whether the system has a control line to it. */
  readonly controlled: boolean;
  readonly port: PortId | undefined;
  /** What is interposed, the nearest to the driver first. */
  readonly interposers: readonly string[];
  readonly trusted: boolean;
  /** Whether it is called in the driver's thread, where its packets lie; false by default. */
  readonly called?: boolean;
  /** Parts that it asks, by the names of its ports; absent for none. */
  readonly asks?: Readonly<Record<string, string>>;
}

/** The NIC and its two services, while they run. */
export interface WiredNic {
  readonly places: { readonly driver: Place; readonly filter: Place };
  readonly driver: DriverCounts;
  readonly capabilities: readonly CapabilityDescription[];
  /** Of every holder that the filter service has. */
  readonly refusals: readonly PortRefusals[];
}

/** What a system's parts say of themselves. */
export interface WiringSources {
  readonly nicState: string;
  /** Absent while the NIC does not run. */
  readonly nic?: WiredNic | undefined;
  readonly holders: readonly WiredHolder[];
  /** Where the peer on an emulated wire runs, where there is one. */
  readonly peer?: Place | undefined;
  readonly nursery?: Place | undefined;
}

const SYSTEM = "system";
const DRIVER = "driver service";
const FILTER = "filter service";
const MEMORY = "packet memory";
const NURSERY = "nursery";
const PEER = "peer";

/** Puts the wiring together. */
export function wiringOf(sources: WiringSources): Wiring {
  const parts: WiredPart[] = [
    { name: SYSTEM, kind: "system", place: { kind: "here" } },
  ];
  const channels: WiredChannel[] = [];
  const { nic, nicState, nursery, peer } = sources;
  if (nic === undefined) {
    parts.push({ name: "NIC", kind: "nic", state: nicState });
  } else addNic(nic, nicState, parts, channels);
  for (const [name, place] of [[NURSERY, nursery], [PEER, peer]] as const) {
    if (place === undefined) continue;
    parts.push({ name, kind: "part", place });
    channels.push({ from: SYSTEM, to: name, what: "control" });
  }
  if (nic !== undefined && peer !== undefined) {
    channels.push({ from: nicName(nic), to: PEER, what: "frames" });
  }
  const holders = withStrangers(sources);
  for (const holder of holders) addHolder(holder, nic, parts, channels);
  return { parts, channels, capabilities: capabilitiesOf(nic, holders) };
}

function nicName({ driver }: WiredNic): string {
  return `NIC ${driver.name}`;
}

function addNic(
  nic: WiredNic,
  state: string,
  parts: WiredPart[],
  channels: WiredChannel[],
): void {
  const name = nicName(nic);
  parts.push(
    { name, kind: "nic", state },
    { name: DRIVER, kind: "part", place: nic.places.driver },
    { name: FILTER, kind: "part", place: nic.places.filter },
    { name: MEMORY, kind: "memory" },
  );
  channels.push(
    { from: SYSTEM, to: DRIVER, what: "control" },
    { from: SYSTEM, to: FILTER, what: "control" },
    { from: FILTER, to: DRIVER, what: "orders" },
    { from: name, to: DRIVER, what: "frames" },
    { from: DRIVER, to: MEMORY, what: "pages" },
  );
  if (filterHas(nic, SYSTEM_PORT)) {
    const port = SYSTEM_PORT;
    channels.push({ from: FILTER, to: SYSTEM, what: "requests", port });
  }
}

function driverHas({ driver }: WiredNic, port: PortId): boolean {
  return driver.refusals.some((one) => one.port === port);
}

function filterHas({ refusals }: WiredNic, port: PortId): boolean {
  return refusals.some((one) => one.port === port);
}

/** The holders, and those that only the driver or the filter service still knows. */
function withStrangers({ holders, nic }: WiringSources): WiredHolder[] {
  if (nic === undefined) return [...holders];
  const known = new Set([SYSTEM_PORT, ...holders.map(({ port }) => port)]);
  const there = [...nic.driver.refusals, ...nic.refusals];
  const strangers = new Set(there.map(({ port }) => port))
    .difference(known) as Set<PortId>;
  return [
    ...holders,
    ...[...strangers].map((port): WiredHolder => ({
      name: `holder ${port}`,
      kind: "receiver",
      state: "ending",
      controlled: false,
      port,
      interposers: [],
      trusted: false,
    })),
  ];
}

function addHolder(
  holder: WiredHolder,
  nic: WiredNic | undefined,
  parts: WiredPart[],
  channels: WiredChannel[],
): void {
  const { name, kind, state, place, port } = holder;
  parts.push({
    name,
    kind,
    ...(state === undefined ? {} : { state }),
    ...(place === undefined ? {} : { place }),
  });
  if (holder.controlled) {
    channels.push({ from: SYSTEM, to: name, what: "control" });
  }
  for (const [own, to] of Object.entries(holder.asks ?? {})) {
    channels.push({ from: name, to, what: "port", name: own });
  }
  if (nic === undefined || port === undefined) return;
  if (driverHas(nic, port)) {
    let from = DRIVER;
    holder.interposers.forEach((what, i) => {
      const interposer = `interposer ${i + 1} of ${name}: ${what}`;
      parts.push({
        name: interposer,
        kind: "interposer",
        place: { kind: "here" },
      });
      channels.push({ from, to: interposer, what: "data", port });
      from = interposer;
    });
    const what = holder.called === true ? "calls" : "data";
    channels.push({ from, to: name, what, port });
    if (holder.trusted || holder.called === true) {
      channels.push({ from: name, to: MEMORY, what: "pages", port });
    }
  }
  if (filterHas(nic, port)) {
    channels.push({ from: FILTER, to: name, what: "requests", port });
  }
}

function capabilitiesOf(
  nic: WiredNic | undefined,
  holders: readonly WiredHolder[],
): WiredCapability[] {
  if (nic === undefined) return [];
  const names = new Map(holders.map(({ port, name }) => [port, name]));
  const root: WiredCapability = {
    slot: 0,
    holder: SYSTEM,
    port: SYSTEM_PORT,
    filter: "every frame",
    rights: rightsOf(~0),
  };
  return [
    root,
    ...nic.capabilities.map((
      { slot, parent, port, filter, rights, quotaPages },
    ) => ({
      slot,
      parent,
      holder: names.get(port) ?? `holder ${port}`,
      port,
      filter,
      rights: rightsOf(rights),
      quotaPages,
    })),
  ];
}

const RIGHTS: readonly (readonly [right: Rights, name: string])[] = [
  [RIGHT_RECEIVE, "receive"],
  [RIGHT_OBSERVE, "observe"],
  [RIGHT_SEND, "send"],
  [RIGHT_DERIVE, "derive"],
  [RIGHT_DELEGATE, "delegate"],
];

function rightsOf(rights: Rights): string[] {
  return RIGHTS.filter(([right]) => (rights & right) !== 0)
    .map(([, name]) => name);
}
