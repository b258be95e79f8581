/** The services of a system: connects and starts them, ends those that are cut off, starts those again that fail. */

import { given } from "../../../caps/kernel/given.ts";
import type { Counts } from "../../../caps/driver/accounts.ts";
import { PLAIN_LIMITS } from "../../../caps/driver/messages.ts";
import type { PortId } from "../../../caps/kernel/kernel.ts";
import {
  RIGHT_DERIVE,
  RIGHT_RECEIVE,
  RIGHT_SEND,
} from "../../../caps/kernel/rights.ts";
import type { Manifest } from "../../manifest/manifest.ts";
import { settingsOf } from "../../manifest/settings.ts";
import type { Connection } from "../../core/messages.ts";
import type { PortConnection } from "../../core/ports.ts";
import { withPriorityTagged } from "../../filter/grant/priority_tagged.ts";
import type { Thread, Threads } from "../../runtime/thread.ts";
import type { Connector, HolderEnds } from "../nic/connector.ts";
import type { Interposing } from "./interposing.ts";
import { partOfService, type Parts, type ServicePart } from "../parts.ts";
import { ServiceHost } from "./host.ts";
import { PortBroker } from "./port_broker.ts";
import { processOf, startPlaced } from "./start_placed.ts";
import { Supervised } from "./supervised.ts";

/** Which services, how they run, and who is told of them. */
export interface ServicesOptions {
  /** What names them. */
  readonly manifest: Manifest;
  /** What they are made of. */
  readonly parts: Pick<Parts, "services" | "modules" | "timeLimits">;
  /** What is interposed before them. */
  readonly interposing: Interposing;
  /** What starts them. */
  readonly threads: () => Threads;
  /** Told what a service prints, line by line. */
  readonly onPrinted: (line: string) => void;
  /** Called when a life has ended: what it held is to be revoked. Resolves when that is in force. */
  readonly onGone: (port: PortId) => Promise<void>;
  /** Called when a service failed, and is started again after `delayMs`. */
  readonly onRestart: (service: Supervised, delayMs: number) => void;
  /** A service failed, and stays so. */
  readonly onFailed: (service: Supervised) => void;
}

/** What connects a service to a NIC. */
type HolderConnection = Connection & Pick<HolderEnds, "port">;

/** The services of one system. */
export class Supervisor {
  readonly #options: ServicesOptions;
  readonly #services: Supervised[];
  readonly #ports: PortBroker<MessagePort>;
  /** To the NIC as it is now; undefined while there is none. */
  #connector: Connector | undefined;
  /** False until every service has run: a failure is the start's, then. */
  #supervised = false;
  #stopped = false;

  /** Supervises the services that the manifest names; none runs before {@link start}. */
  constructor(options: ServicesOptions) {
    this.#options = options;
    this.#services = Object.entries(options.manifest.services)
      .map(([name, service]) => new Supervised(name, service));
    this.#ports = new PortBroker({
      services: options.manifest.services,
      channel: () => {
        const { port1, port2 } = new MessageChannel();
        return [port1, port2];
      },
      connect: (service, connection, port) =>
        this.#hostOf(service)!.connectPort(connection, port),
      close: (service, id) => this.#hostOf(service)!.closePort(id),
    });
  }

  /** What a service is connected with, at the ends of its ports. */
  connections(service: string): readonly PortConnection[] {
    return this.#ports.connected(service);
  }

  /** All, failed ones too. */
  get all(): readonly Supervised[] {
    return this.#services;
  }

  /**
   * Connects and starts all. Resolves when each runs or has failed.
   * @throws {RefusedError} when a service's envelope is refused.
   */
  async start(connector: Connector): Promise<void> {
    this.#connector = connector;
    await this.#connectAll(
      this.#services,
      (service, ends) => this.#begin(service, ends, connector),
    );
  }

  /**
   * From now on what fails is started again.
   * @throws when a service has failed already.
   */
  supervise(): void {
    const failed = this.#services.find(({ host }) => host?.state === "failed");
    if (failed !== undefined) {
      throw new Error(
        `service ${failed.name} did not start: ${failed.failure}`,
      );
    }
    this.#supervised = true;
  }

  /** Takes the NIC away, and all capabilities with it: services that run wait for {@link plug}. */
  unplug(): void {
    this.#connector = undefined;
    for (const service of this.#services) {
      const { host } = service;
      // What was about to begin would wait for answers that do not come.
      if (host?.state === "starting") host.stop();
      else if (service.endsWithNic) this.#end(service);
      else host?.unplug();
    }
  }

  /** Ends the life of a service that runs, and begins another where it is to run now. */
  async renew(service: Supervised): Promise<void> {
    const { port } = service.host!;
    this.#end(service);
    this.#options.interposing.release(service.name);
    await this.#options.onGone(port);
    await this.#restart(service);
  }

  /** Ends a life that is no failure. */
  #end(service: Supervised): void {
    service.host!.stop();
    this.#ports.down(service.name);
    this.#tell(service);
  }

  /** Takes a NIC: services that run get new capabilities, the others are started. */
  async plug(connector: Connector): Promise<void> {
    this.#connector = connector;
    const alive = this.#services.filter(({ isAlive }) => isAlive);
    await this.#connectAll(alive, async (service, ends) => {
      const host = service.host!;
      try {
        if (host.state !== "starting") {
          return await this.#begin(service, ends, connector);
        }
        const connection = await this.#connect(service, ends, connector);
        host.reconnect(ends.port, connection);
      } catch (error) {
        this.#refused(service, connector, error);
      }
      await host.decided;
    });
  }

  /** A holder was cut off by the driver or the filter service. */
  cutOff(port: PortId, refusals: Counts): void {
    const host = this.#services.find(({ host }) => host?.port === port)?.host;
    if (host === undefined || host.state === "failed") return;
    host.refusals = refusals;
    host.cutOff("it was cut off: too many of its messages were refused");
  }

  /** A service has had more messages under way than it may. */
  flooded(name: string): void {
    const one = this.#hostOf(name);
    if (one !== undefined) this.cutOff(one.port, { flood: 1 });
  }

  #hostOf(name: string): ServiceHost | undefined {
    return this.#services.find((service) => service.name === name)?.host;
  }

  /** Brings their counters up to date, but for those that are slow to say them. */
  async refresh(): Promise<void> {
    await Promise.all(this.#services.map(({ host }) => host?.refresh()));
  }

  /** Ends all. */
  stop(): void {
    this.#stopped = true;
    for (const service of this.#services) service.stop();
    this.#options.interposing.stop();
  }

  async #connectAll(
    services: readonly Supervised[],
    use: (service: Supervised, ends: HolderEnds) => Promise<void>,
  ): Promise<void> {
    const connector = this.#connector!;
    const connected = services.map((service) =>
      [service, this.#introduce(service, connector)] as const
    );
    await connector.introduced();
    await Promise.all(connected.map((one) => use(...one)));
  }

  /** Connects a new holder for a service. */
  #introduce(service: Supervised, connector: Connector): HolderEnds {
    const { name, manifest: { trusted = false, place } } = service;
    const limits = this.#options.interposing.limits(name);
    const called = place === "driver";
    return connector.connect({
      limits,
      // One that is called has its packets where they lie, a process no memory of another.
      trusted: trusted && place === "worker",
      called,
      interposed: limits !== PLAIN_LIMITS,
      ...(place === "process" && connector.startsProcesses
        ? { process: processOf(name, this.#partOf(service)) }
        : {}),
    });
  }

  /** A new life of a service. Resolves when it runs or has failed. */
  async #begin(
    service: Supervised,
    ends: HolderEnds,
    connector: Connector,
  ): Promise<void> {
    const control = new MessageChannel();
    const host = new ServiceHost(
      { name: service.name, port: ends.port, control: control.port1 },
      () => this.#onFailed(service, host),
      this.#options.parts.timeLimits,
    );
    service.begin(host);
    const connection = await this.#connect(service, ends, connector);
    host.started(
      this.#startIn(service, connector, connection, {
        control: control.port2,
        onCrash: (message) => host.fail(message),
      }),
    );
    await host.decided;
    if (host.state !== "running") return;
    service.restarts.ran(performance.now());
    this.#connectPorts(service, host);
    this.#tell(service);
    for (const { news } of this.#services) {
      if (news === undefined || !watches(service, news.name)) continue;
      host.tell(news);
    }
  }

  /** Starts a service where it is to run. */
  #startIn(
    service: Supervised,
    connector: Connector,
    connection: HolderConnection,
    { control, onCrash }: {
      readonly control: MessagePort;
      readonly onCrash: (message: string) => void;
    },
  ): Thread {
    const { quotaPages, copyBytesMax } = service.manifest;
    const part = this.#partOf(service);
    const { port, data, requests, ...held } = connection;
    const start = {
      settings: settingsOf(
        this.#options.manifest,
        service.manifest,
        connector.abilities,
      ),
      quotaPages,
      copyBytesMax,
      spin: this.#options.manifest.spin,
      ...given({ module: part.module }),
      ...held,
    };
    const ends = { control, requests, ...given({ data }) };
    return startPlaced(
      { service, part, port, start, ends },
      connector,
      this.#options.threads,
      { onCrash, onPrinted: this.#options.onPrinted },
    );
  }

  /**
   * Connects a service's ports. What a manifest gives wrongly ends a service that
   * is being started; later a service may say something else of itself, and another
   * is not to be ended by that.
   */
  #connectPorts(service: Supervised, { opened }: ServiceHost): void {
    for (
      const { service: name, message } of this.#ports.up(service.name, opened)
    ) {
      if (this.#supervised) continue;
      this.#hostOf(name)!.fail(message);
    }
  }

  /** Tells those who watch a service what became of it. */
  #tell({ name, news }: Supervised): void {
    if (news === undefined) return;
    for (const other of this.#services) {
      if (watches(other, name)) other.host?.tell(news);
    }
  }

  #partOf({ name, manifest }: Supervised): ServicePart {
    return partOfService(this.#options.parts, name, manifest.core);
  }

  /** Derives what a service may have at most; what it needs to get it. */
  async #connect(
    supervised: Supervised,
    { port, data, requests, trusted }: HolderEnds,
    connector: Connector,
  ): Promise<HolderConnection> {
    const { manifest } = supervised;
    supervised.connected(port);
    const { definition } = this.#partOf(supervised);
    const settings = settingsOf(
      this.#options.manifest,
      manifest,
      connector.abilities,
    );
    const may = {
      receives: withPriorityTagged(definition.receives(settings)),
      sends: withPriorityTagged(definition.sends(settings)),
    };
    const envelope = await connector.derive({
      grant: may.receives,
      sends: may.sends,
      rights: RIGHT_RECEIVE | RIGHT_SEND | RIGHT_DERIVE,
      quotaPages: manifest.quotaPages,
      // On the envelope: whatever the service derives from it stays within.
      ...given({ limit: manifest.limit }),
      to: port,
    });
    const posed = data &&
      this.#options.interposing.interpose(supervised.name, data);
    return {
      port,
      envelope,
      may,
      requests,
      ...given({ data: posed, trusted }),
    };
  }

  #onFailed(service: Supervised, host: ServiceHost): void {
    this.#ports.down(service.name);
    this.#options.interposing.release(service.name);
    const released = this.#options.onGone(host.port);
    // Without a NIC it is started with the next one.
    if (!this.#supervised || this.#stopped || this.#connector === undefined) {
      return service.noteFailure(host);
    }
    const delayMs = service.failed(
      host,
      () => void released.then(() => this.#restart(service)),
    );
    this.#tell(service);
    if (delayMs === undefined) this.#options.onFailed(service);
    else this.#options.onRestart(service, delayMs);
  }

  async #restart(service: Supervised): Promise<void> {
    service.endWait();
    const connector = this.#connector;
    if (this.#stopped || connector === undefined) return;
    const ends = this.#introduce(service, connector);
    try {
      await connector.introduced();
      await this.#begin(service, ends, connector);
    } catch (error) {
      this.#refused(service, connector, error);
    }
  }

  /** Handles a service that does not get what it had before. */
  #refused(service: Supervised, connector: Connector, error: unknown): void {
    if (connector !== this.#connector || this.#stopped) return;
    const why = error instanceof Error ? error.message : String(error);
    service.host!.fail(`it cannot be started again: ${why}`);
  }
}

function watches({ manifest }: Supervised, name: string): boolean {
  return manifest.watch?.includes(name) ?? false;
}
