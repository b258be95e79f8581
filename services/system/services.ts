/** The services of a system: connects and starts them, ends those that are cut off. */

import type { Counts } from "../../caps/accounts.ts";
import type { PortId } from "../../caps/kernel.ts";
import { RIGHT_DERIVE, RIGHT_RECEIVE, RIGHT_SEND } from "../../caps/rights.ts";
import type { ServiceSettings } from "../definition.ts";
import type { Manifest, ServiceManifest } from "../manifest.ts";
import { startPart } from "../thread.ts";
import type { Connection, Connector } from "./connector.ts";
import type { Parts } from "./parts.ts";
import { ServiceHost } from "./service_host.ts";

/** Which services, and how they run. */
export interface ServicesOptions {
  /** What names them. */
  readonly manifest: Manifest;
  /** What they are made of, by the core's name. */
  readonly parts: Parts["services"];
  /** Whether each gets a worker without permissions. */
  readonly confined: boolean;
  /** Hears once of each that is at an end by a fault of its own. */
  readonly onFailed: (host: ServiceHost) => void;
}

/** A service that is connected. */
interface Connected {
  readonly host: ServiceHost;
  readonly service: ServiceManifest;
  readonly connection: Connection;
  /** Its end of the channel to `host`. */
  readonly control: MessagePort;
}

/** The services of one system. */
export class Services {
  readonly #options: ServicesOptions;
  readonly #hosts: ServiceHost[] = [];

  /** Those that the manifest names; none runs before {@link start}. */
  constructor(options: ServicesOptions) {
    this.#options = options;
  }

  /** Those that were connected, failed ones too. */
  get hosts(): readonly ServiceHost[] {
    return this.#hosts;
  }

  /**
   * Connects and starts all. Resolves when each runs or has failed.
   * @throws {RefusedError} when a service's envelope is refused.
   */
  async start(connector: Connector): Promise<void> {
    const entries = Object.entries(this.#options.manifest.services);
    const connected = entries.map(([name, service]) =>
      this.#connect(name, service, connector.connect())
    );
    await connector.introduced();
    await Promise.all(connected.map((one) => this.#start(one, connector)));
  }

  /** @throws when a service has failed already. */
  refuseFailed(): void {
    const failed = this.#hosts.find(({ state }) => state === "failed");
    if (failed === undefined) return;
    throw new Error(`service ${failed.name} did not start: ${failed.failure}`);
  }

  /** A holder was cut off by the driver or the filter service. */
  outlaw(port: PortId, refusals: Counts): void {
    const host = this.#hosts.find((host) => host.port === port);
    if (host === undefined || host.state === "failed") return;
    host.refusals = refusals;
    host.fail("it was cut off: too many of its messages were refused");
  }

  /** Brings their counters up to date, but for those that are slow to say them. */
  async refresh(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.refresh()));
  }

  /** Ends all. */
  stop(): void {
    for (const host of this.#hosts) host.stop();
  }

  #connect(
    name: string,
    service: ServiceManifest,
    connection: Connection,
  ): Connected {
    const control = new MessageChannel();
    const host = new ServiceHost(
      { name, port: connection.port, control: control.port1 },
      this.#options.onFailed,
    );
    this.#hosts.push(host);
    return { host, service, connection, control: control.port2 };
  }

  async #start(connected: Connected, connector: Connector): Promise<void> {
    const { host, service, connection, control } = connected;
    const { data, requests } = connection;
    const { quotaPages, copyBytesMax } = service;
    const part = this.#options.parts[service.core]!;
    const settings = settingsOf(this.#options.manifest, service);
    const envelope = await connector.derive({
      grant: part.definition.receives(settings),
      sends: part.definition.sends(settings),
      rights: RIGHT_RECEIVE | RIGHT_SEND | RIGHT_DERIVE,
      quotaPages,
      to: connection.port,
    });
    host.started(startPart(part, {
      settings,
      envelope,
      quotaPages,
      copyBytesMax,
      data,
      requests,
      control,
    }, {
      confined: this.#options.confined,
      transfer: [data, requests, control],
      onCrash: (message) => host.fail(message),
    }));
    await host.settled;
  }
}

function settingsOf(
  { address, mac }: Manifest,
  service: ServiceManifest,
): ServiceSettings {
  return {
    address: address.address,
    prefixBits: address.prefixBits,
    mac,
    ...("port" in service ? { port: service.port } : {}),
  };
}
