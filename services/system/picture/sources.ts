/** Asks a system's parts what they are connected to. */

import type { Connector } from "../nic/connector.ts";
import type { NicSupervisor } from "../nic/nic_supervisor.ts";
import type { Nursery } from "../nursery/host.ts";
import type { PeerHost } from "../peer/host.ts";
import type { ConnectedReceiver } from "../receivers.ts";
import type { PortConnection } from "../../core/ports.ts";
import type { Interposing } from "../supervision/interposing.ts";
import type { Supervised } from "../supervision/supervised.ts";
import type { WiredHolder, WiredNic, WiringSources } from "./wiring.ts";

/** The parts of one system. */
export interface SystemParts {
  readonly nic: NicSupervisor;
  readonly services: readonly Supervised[];
  readonly connections: (service: string) => readonly PortConnection[];
  readonly interposing: Interposing;
  readonly receivers: readonly ConnectedReceiver[];
  readonly nursery: Nursery | undefined;
  readonly peer: PeerHost | undefined;
}

/** What the parts say now. */
export async function wiringSources(
  { nic, services, connections, interposing, receivers, nursery, peer }:
    SystemParts,
): Promise<WiringSources> {
  const wired = await wiredNic(nic);
  const connector = wired === undefined ? undefined : nic.life.connector;
  return {
    nicState: nic.snapshot.state,
    nic: wired,
    nursery: nursery?.open ? nursery.place : undefined,
    peer: peer?.open ? peer.thread.place : undefined,
    holders: [
      ...services.map((one) =>
        wiredService(one, connections(one.name), interposing, connector)
      ),
      ...receivers.map((one) => wiredReceiver(one, connector)),
    ],
  };
}

async function wiredNic(nic: NicSupervisor): Promise<WiredNic | undefined> {
  if (!nic.runs) return undefined;
  const { life } = nic;
  const driver = await nic.counts();
  const described = await nic.describe();
  // A crash in between leaves answers of two lives.
  if (!nic.runs || nic.life !== life) return undefined;
  return { places: life.places, driver, ...described };
}

function wiredService(
  { name, state, place, port }: Supervised,
  connections: readonly PortConnection[],
  interposing: Interposing,
  connector: Connector | undefined,
): WiredHolder {
  return {
    name: `service ${name}`,
    kind: "service",
    state,
    place,
    controlled: place !== undefined,
    port,
    interposers: interposing.namesBefore(name),
    trusted: port !== undefined && connector?.trusts(port) === true,
    called: port !== undefined && connector?.calls(port) === true,
    asks: Object.fromEntries(
      connections
        .filter(({ side }) => side === "ask")
        .map(({ name, peer }) => [name, `service ${peer}`]),
    ),
  };
}

function wiredReceiver(
  { number, port, interposers }: ConnectedReceiver,
  connector: Connector | undefined,
): WiredHolder {
  return {
    name: `receiver ${number}`,
    kind: "receiver",
    place: { kind: "here" },
    controlled: false,
    port,
    interposers,
    trusted: connector?.trusts(port) === true,
  };
}
