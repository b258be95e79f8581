/**
 * Connects holders to a NIC: each to the driver service, for packets, and to the
 * filter service, for capabilities. The system itself is the first.
 */

import { given } from "../../../caps/kernel/given.ts";
import {
  type HolderLimits,
  type NicAbilities,
  PLAIN_LIMITS,
  type ProcessCommand,
  type ProcessEnds,
} from "../../../caps/driver/messages.ts";
import type { PortId } from "../../../caps/kernel/kernel.ts";
import type { PacketMemory } from "../../../caps/memory/memory.ts";
import { fromMessagePort } from "../../../caps/port/port.ts";
import {
  makeTrustedRings,
  type TrustedAccess,
} from "../../../caps/port/trusted_ring.ts";
import type { Capability } from "../../../caps/kernel/capability.ts";
import { FilterClient } from "../../filter/service/client.ts";
import type { DriverHost } from "../driver/host.ts";
import type { CalledStart } from "../driver/messages.ts";
import type { FilterHost } from "../filter/host.ts";

/** The system's own port: the root capability is in its table. */
export const SYSTEM_PORT: PortId = 0;

/** A holder's ends of its channels. */
export interface HolderEnds {
  /** What the driver and the filter service know it by. */
  readonly port: PortId;
  /** To the driver service; absent where packets need no channel: in a process, and in the driver's thread. */
  readonly data?: MessagePort;
  /** To the filter service. */
  readonly requests: MessagePort;
  /** For one that is trusted with packet memory. */
  readonly trusted?: TrustedAccess;
}

/** How a holder is connected. */
export interface ConnectOptions {
  /** What the driver service holds it to; {@link PLAIN_LIMITS} by default. */
  readonly limits?: HolderLimits;
  /** Whether it gets packet memory itself; false by default. */
  readonly trusted?: boolean;
  /** The process that it is, which the driver starts. */
  readonly process?: ProcessCommand;
  /** Whether its code is called in the driver's thread; false by default. */
  readonly called?: boolean;
  /** Whether its packets pass interposers; false by default. */
  readonly interposed?: boolean;
}

/** What is asked of the root capability. */
type Asked = Omit<Parameters<FilterClient["derive"]>[0], "from">;

/** Numbers for holders, none of them twice in one system: what one counted is known by it later. */
export class PortNumbers {
  #last: PortId = SYSTEM_PORT;

  /** A number that no holder had. */
  next(): PortId {
    return ++this.#last;
  }
}

/** Connects holders, and derives what they are to hold. */
export class Connector implements Disposable {
  readonly #driver: DriverHost;
  readonly #filter: FilterHost;
  readonly #client: FilterClient;
  readonly #ports: PortNumbers;
  readonly #memory: PacketMemory;
  /** Holders that were given packet memory. */
  readonly #trusted = new Set<PortId>();
  /** Holders that are called in the driver's thread. */
  readonly #called = new Set<PortId>();

  /** Whether the driver starts processes: then a holder may be one. */
  readonly startsProcesses: boolean;

  /** Between a driver and a filter service that both run, over `memory`. */
  constructor(
    driver: DriverHost,
    filter: FilterHost,
    ports: PortNumbers,
    memory: PacketMemory,
    startsProcesses: boolean,
  ) {
    this.startsProcesses = startsProcesses;
    this.#ports = ports;
    this.#memory = memory;
    this.#driver = driver;
    this.#filter = filter;
    const requests = new MessageChannel();
    filter.attach(SYSTEM_PORT, requests.port1);
    this.#client = new FilterClient(fromMessagePort(requests.port2));
  }

  /** What the NIC took when it was opened. */
  get abilities(): NicAbilities {
    return this.#driver.abilities;
  }

  /** Connects a new holder. Nothing is to be asked for it before {@link introduced}. */
  connect(options: ConnectOptions = {}): HolderEnds {
    const { limits = PLAIN_LIMITS, trusted = false, process } = options;
    const access = trusted ? this.#trust() : undefined;
    const port = this.#ports.next();
    if (trusted) this.#trusted.add(port);
    const called = options.called === true && !options.interposed;
    const direct = process !== undefined && !options.interposed || called;
    if (called) {
      this.#called.add(port);
      this.#driver.attachCalled(port);
    }
    if (process !== undefined) {
      this.#driver.spawn(port, process, direct, limits);
    }
    const data = direct ? undefined : new MessageChannel();
    if (data !== undefined) {
      this.#driver.attach(port, data.port1, limits, access?.rings);
    }
    const requests = new MessageChannel();
    this.#filter.attach(port, requests.port1);
    return {
      port,
      requests: requests.port2,
      ...given({ data: data?.port2, trusted: access }),
    };
  }

  /** Connects a new holder that has a channel for its packets. */
  connectChannel(
    options: Omit<ConnectOptions, "process" | "called">,
  ): HolderEnds & { readonly data: MessagePort } {
    const { data, ...ends } = this.connect(options);
    return { ...ends, data: data! };
  }

  /** Tells the process of a holder what it is: `start`, plain data, and its channels. */
  begin(port: PortId, start: unknown, ends: ProcessEnds): void {
    this.#driver.begin(port, start, ends);
  }

  /** Runs a service in the driver's thread, as the holder at `port`. */
  run(port: PortId, service: CalledStart, transfer: Transferable[]): void {
    this.#driver.run(port, service, transfer);
  }

  /** Whether a holder is called in the driver's thread. */
  calls(port: PortId): boolean {
    return this.#called.has(port);
  }

  /** Whether a holder was given packet memory. */
  trusts(port: PortId): boolean {
    return this.#trusted.has(port);
  }

  #trust(): TrustedAccess {
    const { wasm, frameCount, extentCount } = this.#memory;
    const rings = makeTrustedRings();
    return { memory: wasm, frameCount, extentCount, rings };
  }

  /**
   * Resolves when the driver and the filter service know every holder that was
   * connected: what is asked on another port may overtake that.
   */
  async introduced(): Promise<void> {
    await Promise.all([this.#driver.counts(), this.#filter.describe()]);
  }

  /**
   * A capability out of the root's.
   * @throws {RefusedError}
   */
  async derive(asked: Asked): Promise<Capability> {
    return await this.#client.derive({
      ...asked,
      from: await this.#filter.root,
    });
  }

  /** Ends all capabilities of a holder; in force when this resolves. */
  async revoke(port: PortId): Promise<void> {
    await this.#filter.detach(port);
  }

  /** Closes the port of requests: those who wait for answers are told. */
  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }

  /** Has the driver service disconnect a holder. */
  detach(port: PortId): void {
    this.#driver.detach(port);
  }
}
