/** One service of a simulated host: starts, stalls, crashes, and starts again. */

import { withPriorityTagged } from "../../services/filter/grant/priority_tagged.ts";
import type { Counts } from "../../caps/driver/accounts.ts";
import type { PortId } from "../../caps/kernel/kernel.ts";
import type { DirectEnd } from "../../caps/port/direct_end.ts";
import type { Port } from "../../caps/port/port.ts";
import type { Delivery, Submission } from "../../caps/port/records.ts";
import {
  RIGHT_DERIVE,
  RIGHT_RECEIVE,
  RIGHT_SEND,
} from "../../caps/kernel/rights.ts";
import type { Capability } from "../../caps/kernel/capability.ts";
import type { Clock } from "../../services/runtime/clock.ts";
import type {
  ServiceDefinition,
  ServiceSettings,
} from "../../services/core/definition.ts";
import {
  type FilterClient,
  RefusedError,
} from "../../services/filter/service/client.ts";
import type {
  FilterReply,
  FilterRequest,
} from "../../services/filter/service/messages.ts";
import {
  type OpenedPorts,
  type PortConnection,
  type PortCounts,
  ServicePorts,
} from "../../services/core/ports.ts";
import { DirectRunner } from "../../services/core/direct_runner.ts";
import { CoreRunner } from "../../services/core/runner.ts";
import { establish } from "../../services/core/start.ts";
import type { ServicePlace } from "../../services/manifest/place.ts";
import { ServicePort } from "./service_port.ts";
import { StallingPort } from "./stalling_port.ts";
import { nameFrame, type Trace } from "./trace.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** A service of a simulated host. */
export interface SimulatedService extends ServiceDefinition {
  /** Where it listens, if it has ports. */
  readonly port?: number;
  /** Services of its host that it may ask, by the names of its ports; none by default. */
  readonly ports?: Readonly<Record<string, string>>;
  /** Pages that it may hold; 32 by default. */
  readonly quotaPages?: number;
  /** Up to how many bytes a packet is copied, not handed over as a page; 2,048 by default. */
  readonly copyBytesMax?: number;
  /** Where it runs: in the driver's thread it stalls with the driver, and the driver with it; in a process its packets cross as bytes; `worker` by default. */
  readonly place?: ServicePlace;
}

/** How a host connects a service: its number, and its ends of both channels. */
export interface ServiceConnection {
  readonly port: PortId;
  readonly data: Port<Submission, Delivery>;
  /** By what it is called, in place of `data`, in the driver's thread. */
  readonly end?: DirectEnd | undefined;
  readonly requests: Port<FilterRequest, FilterReply>;
  /** The host's own client, for the envelope. */
  readonly system: FilterClient;
  readonly root: Capability;
}

/** What a service is made of. */
export interface ServiceParts {
  readonly name: string;
  readonly definition: SimulatedService;
  readonly settings: ServiceSettings;
  readonly time: VirtualTime;
  readonly trace: Trace;
  /** Told when it runs, and has opened these ports. */
  readonly onRunning: (opened: OpenedPorts) => void;
  /** Told when the service has failed by a fault of its own. */
  readonly onFailed: () => void;
}

/** One life of a service, from its start to its crash. */
interface Life {
  readonly port: PortId;
  readonly services: ServicePort;
  runner?: CoreRunner | DirectRunner;
  ports?: ServicePorts;
  /** To other services, by the connection. */
  readonly toOthers: Map<number, StallingPort<ArrayBuffer, unknown>>;
}

/** A service, through all its lives. */
export class SimulatedHolder {
  readonly name: string;
  /** Why it is at an end for ever; undefined when it is not. */
  failure: string | undefined;
  readonly #parts: ServiceParts;
  #life: Life | undefined;
  #stalls = 0;
  /** Wake-ups that came while it was stalled. */
  #missed: (() => void) | undefined;
  /** Orders that came while it was stalled. */
  #orders: (() => void)[] = [];

  /** Makes a service that does not run yet. */
  constructor(parts: ServiceParts) {
    this.name = parts.name;
    this.#parts = parts;
  }

  /** What the driver knows it by; undefined while it is down. */
  get port(): PortId | undefined {
    return this.#life?.port;
  }

  /** Where it runs. */
  get place(): ServicePlace {
    return this.#parts.definition.place ?? "worker";
  }

  /** Whether it runs in the driver's thread. */
  get isCalled(): boolean {
    return this.place === "driver";
  }

  /** Whether it does nothing at the moment, though it runs. */
  get stalled(): boolean {
    return this.#stalls > 0;
  }

  /** What its core has counted since it started. */
  counters(): Counts {
    return this.#life?.runner?.counters() ?? {};
  }

  /** What it has counted at its ports since it started. */
  portCounts(): readonly PortCounts[] {
    return this.#life?.ports?.counters() ?? [];
  }

  /** Takes one end of a connection with another service. */
  connectPort(
    connection: PortConnection,
    port: Port<ArrayBuffer, unknown>,
  ): void {
    const life = this.#life!;
    const own = new StallingPort(port);
    if (this.stalled) own.stall();
    life.toOthers.set(connection.id, own);
    this.#order(() => life.ports!.connect(connection, own));
  }

  /** Hears that the other end of a connection has ended. */
  closePort(id: number): void {
    const { runner, toOthers } = this.#life!;
    toOthers.delete(id);
    this.#order(() => runner!.closePort(id));
  }

  /** As messages are: those to a service that is stalled wait. */
  #order(order: () => void): void {
    const life = this.#life;
    if (this.stalled) this.#orders.push(order);
    else queueMicrotask(() => life === this.#life && order());
  }

  /** Starts it with a new core: it asks for its capability as every service does. */
  async start(connection: ServiceConnection): Promise<void> {
    const { definition, settings, trace, name } = this.#parts;
    const { port, data, end, requests, system, root } = connection;
    const services = new ServicePort(
      data,
      (what, bytes) => trace.add(name, `${what} ${nameFrame(bytes)}`),
    );
    const life: Life = { port, services, toOthers: new Map() };
    this.#life = life;
    const { quotaPages = 32, copyBytesMax = 2048 } = definition;
    try {
      const envelope = await system.derive({
        from: root,
        grant: withPriorityTagged(definition.receives(settings)),
        sends: withPriorityTagged(definition.sends(settings)),
        rights: RIGHT_RECEIVE | RIGHT_SEND | RIGHT_DERIVE,
        quotaPages,
        to: port,
      });
      const capability = await establish(
        definition,
        { settings, envelope, quotaPages, copyBytesMax },
        requests,
      );
      if (this.#life !== life) return; // it crashed before it ran
      trace.add(name, "runs");
      const ports = new ServicePorts();
      life.ports = ports;
      const core = definition.make(settings, ports.given);
      const options = {
        clock: this.#clock(),
        ports,
        capability,
        onFailure: (error: unknown) => this.#fail(life, error),
      };
      life.runner = end === undefined
        ? new CoreRunner(core, { ...options, port: services })
        : new DirectRunner(core, { ...options, end });
      if (this.stalled) services.stall();
      this.#parts.onRunning(ports.opened());
    } catch (error) {
      this.#fail(life, error);
    }
  }

  /** Terminates the service, with all that it held. */
  stop(): void {
    const life = this.#life;
    this.#life = undefined;
    this.#missed = undefined;
    this.#orders = [];
    // Its clock goes with it; its port is the driver's to close.
    life?.runner?.[Symbol.dispose]();
  }

  /** Stalls the service until {@link resume}. */
  stall(): void {
    this.#stalls++;
    for (const port of this.#ports) port.stall();
  }

  /** Ends one stall. */
  resume(): void {
    if (--this.#stalls > 0) return;
    const missed = this.#missed;
    this.#missed = undefined;
    for (const order of this.#orders.splice(0)) order();
    for (const port of this.#ports) port.resume();
    missed?.();
  }

  get #ports(): readonly { stall(): void; resume(): void }[] {
    const life = this.#life;
    return life === undefined ? [] : [life.services, ...life.toOthers.values()];
  }

  #fail(life: Life, error: unknown): void {
    if (this.#life !== life) return;
    const message = error instanceof Error ? error.message : String(error);
    this.failure = error instanceof RefusedError
      ? `its capability was refused: ${message}`
      : `its core threw: ${message}`;
    this.#parts.trace.add(this.name, `fails: ${this.failure}`);
    // Not here, in the middle of what it was doing.
    this.#parts.time.plan(0, this.#parts.onFailed);
  }

  /** Virtual time, whose alarm does not go off while the service is stalled. */
  #clock(): Clock {
    const clock = this.#parts.time.makeClock();
    return {
      now: clock.now,
      wake: (at, callback) => {
        this.#missed = undefined;
        clock.wake(at, () => {
          if (this.stalled) this.#missed = callback;
          else callback();
        });
      },
    };
  }
}
