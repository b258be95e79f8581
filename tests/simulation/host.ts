/**
 * A host of a simulated world: a NIC, the real driver service and the real
 * filter service, and services with capabilities on it.
 */

import { given } from "../../caps/kernel/given.ts";
import {
  makePacketMemory,
  type PacketMemory,
  wasmPagesOf,
} from "../../caps/memory/memory.ts";
import type { Counts } from "../../caps/driver/accounts.ts";
import type { PagesSnapshot } from "../../caps/memory/page_ledger.ts";
import type { DriverOrder, DriverReport } from "../../caps/driver/messages.ts";
import { CapabilityKernel, type PortId } from "../../caps/kernel/kernel.ts";
import { makePipe, type Port } from "../../caps/port/port.ts";
import { TagGenerator } from "../../caps/kernel/tag.ts";
import type { Capability } from "../../caps/kernel/capability.ts";
import type { Driver } from "../../drivers/driver.ts";
import { openEmulated } from "../../drivers/emulated/driver.ts";
import { DriverService } from "../../drivers/service/service.ts";
import { type Clock, NEVER } from "../../services/runtime/clock.ts";
import { grantAlgebra } from "../../services/filter/siblings/algebra.ts";
import type { Grant } from "../../services/filter/grant/grant.ts";
import { FilterClient } from "../../services/filter/service/client.ts";
import type {
  FilterReply,
  FilterRequest,
} from "../../services/filter/service/messages.ts";
import { FilterService } from "../../services/filter/service/service.ts";
import {
  type InterfaceAddress,
  interfaceAddress,
  macFor,
  readSystemAddress,
} from "../../services/manifest/interface_address.ts";
import { UNREAD_MAX } from "../../services/ports/limits.ts";
import { Random } from "../../services/runtime/random.ts";
import { PortBroker } from "../../services/system/supervision/port_broker.ts";
import { DataChannels } from "./data_channels.ts";
import type { Medium } from "./medium.ts";
import { SimulatedHolder, type SimulatedService } from "./service.ts";
import type { Trace } from "./trace.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** A host. */
export interface HostOptions {
  /** Services, by name. */
  readonly services: Readonly<Record<string, SimulatedService>>;
  /** IPv4 address with the prefix of its network; 10.77.0.2/24 and so on by default. */
  readonly address?: string;
  /** Ethernet address, six bytes; made of the IPv4 address by default. */
  readonly mac?: Uint8Array;
  /** Frames of packet memory; 512 by default. */
  readonly frames?: number;
}

/** What a host is made of. */
export interface HostParts {
  readonly name: string;
  /** In front of its parties' names: nothing, or its name and a slash. */
  readonly prefix: string;
  readonly options: HostOptions;
  readonly address: InterfaceAddress;
  readonly seed: number;
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly medium: Medium;
}

/** The system's own port, as in services/system/. */
const SYSTEM_PORT: PortId = 0;

/** Room for super-packets that services send: each is taken apart there. */
const EXTENTS = 4;

const LIMITS = { capabilitiesMax: 1024, capabilitiesKept: 0, depthMax: 16 };

/** A driver service with its filter service: they live and die together. */
interface Machine {
  readonly driver: DriverService;
  readonly filter: FilterService;
  /** The filter service's. */
  readonly clock: Clock;
  readonly system: FilterClient;
  readonly root: Capability;
}

/** A host at work. */
export class Host {
  readonly #channels = new DataChannels();
  readonly name: string;
  /** `driver`, as faults and the trace name it. */
  readonly driverName: string;
  readonly services: readonly SimulatedHolder[];
  readonly #parts: HostParts;
  readonly #random: Random;
  readonly #ports: PortBroker<Port<ArrayBuffer, unknown>>;
  #machine: Machine | undefined;
  #nextPort: PortId = SYSTEM_PORT + 1;
  #stalls = 0;
  /** What must never be, and was, in lives that have ended. */
  readonly #found: string[] = [];

  /** Makes a host that is down until {@link up}. */
  constructor(parts: HostParts) {
    const { name, prefix, options, address, time, trace } = parts;
    this.name = name;
    this.driverName = `${prefix}driver`;
    this.#parts = parts;
    this.#random = new Random(parts.seed);
    const mac = options.mac ?? macFor(address.address);
    this.services = Object.entries(options.services).map((
      [service, definition],
    ) =>
      new SimulatedHolder({
        name: prefix + service,
        definition,
        settings: {
          address: address.address,
          prefixBits: address.prefixBits,
          mac,
          ...given({ port: definition.port }),
        },
        time,
        trace,
        onRunning: (opened) => {
          const complaints = this.#ports.up(service, opened);
          for (const { service, message } of complaints) {
            this.#service(service).failure = message;
          }
        },
        onFailed: () => this.#disown(prefix + service),
      })
    );
    this.#ports = new PortBroker<Port<ArrayBuffer, unknown>>({
      services: options.services,
      channel: () =>
        makePipe<ArrayBuffer, ArrayBuffer>({ queueMax: UNREAD_MAX }),
      connect: (service, connection, port) =>
        this.#service(service).connectPort(connection, port),
      close: (service, id) => this.#service(service).closePort(id),
    });
  }

  /** The service that `options` has by this name. */
  #service(name: string): SimulatedHolder {
    const called = this.#parts.prefix + name;
    return this.services.find((one) => one.name === called)!;
  }

  /** Ends a life of a service: nobody is connected with it any more. */
  #stop(service: SimulatedHolder): void {
    service.stop();
    this.#ports.down(service.name.slice(this.#parts.prefix.length));
  }

  /** IPv4 address, 32 bits. */
  get address(): number {
    return this.#parts.address.address;
  }

  /** Whether its driver runs. */
  get isUp(): boolean {
    return this.#machine !== undefined;
  }

  /** Starts the driver, the filter service, and every service that has not failed. */
  up(): void {
    this.#machine = this.#makeMachine();
    this.#parts.trace.add(this.driverName, "is up");
    for (const service of this.services) this.start(service);
  }

  #makeMachine(): Machine {
    const { options, time } = this.#parts;
    const memory = makePacketMemory(options.frames ?? 512, EXTENTS);
    const [orders, forFilter] = makePipe<DriverReport, DriverOrder>();
    const clock = time.makeClock();
    const onCutOff = (port: PortId) => this.#cutOff(port);
    const driver = new DriverService({
      driver: this.#openNic(memory),
      memory,
      orders,
      onCutOff,
      nowMs: () => clock.now() / 1000,
    });
    const kernel = this.#makeKernel();
    // A quarter of the frames stays the NIC's, as in services/system/.
    const lendable = memory.frameCount - Math.ceil(memory.frameCount / 4);
    const root = kernel.makeRoot(SYSTEM_PORT, lendable);
    const filter = new FilterService({
      kernel,
      target: { memoryPages: wasmPagesOf(memory) },
      driver: forFilter,
      clock,
      onCutOff,
    });
    const [requests, forSystem] = makePipe<FilterRequest, FilterReply>();
    filter.attach(SYSTEM_PORT, forSystem);
    return { driver, filter, clock, system: new FilterClient(requests), root };
  }

  #openNic(memory: PacketMemory): Driver {
    const { options, address, medium, name } = this.#parts;
    const mac = options.mac ?? macFor(address.address);
    return openEmulated({ memory, end: medium.join(name), mac, name });
  }

  /** With tags from the seed: no two lives of a host have the same. */
  #makeKernel(): CapabilityKernel<Grant> {
    const tags = new TagGenerator((out) =>
      this.#random.fill(out, 0, out.length)
    );
    return new CapabilityKernel(grantAlgebra, tags, LIMITS);
  }

  /** Everything that is ready to be done in the driver. Returns how much it was. */
  turn(): number {
    const called = this.services.filter(({ isCalled }) => isCalled);
    if (this.#stalls > 0 || called.some(({ stalled }) => stalled)) return 0;
    return this.#machine?.driver.turn() ?? 0;
  }

  /** Starts a service that is down, if the driver is up. */
  start(service: SimulatedHolder): void {
    const machine = this.#machine;
    if (
      machine === undefined || service.port !== undefined ||
      service.failure !== undefined
    ) return;
    const port = this.#nextPort++;
    const [data, forDriver] = this.#channels.make(port, service.place);
    const [requests, forFilter] = makePipe<FilterRequest, FilterReply>();
    const end = service.isCalled
      ? machine.driver.attachDirect(port)
      : undefined;
    if (end === undefined) machine.driver.attach(port, forDriver);
    machine.filter.attach(port, forFilter);
    const { system, root } = machine;
    void service.start({ port, data, end, requests, system, root });
  }

  /** Terminates a service: what it held is revoked, its pages are quarantined or back. */
  crash(service: SimulatedHolder): void {
    const { port } = service;
    if (port === undefined) return;
    this.#found.push(...this.#refusals(service));
    this.#stop(service);
    this.#channels.end(port);
    this.#machine?.driver.detach(port);
    void this.#machine?.filter.detach(port);
  }

  /** Terminates the driver, and with it every capability on it. */
  crashDriver(): void {
    const machine = this.#machine;
    if (machine === undefined) return;
    for (const service of this.services) {
      this.#found.push(...this.#refusals(service));
      this.#stop(service);
    }
    this.#machine = undefined;
    machine.driver[Symbol.dispose]();
    machine.filter[Symbol.dispose]();
    machine.clock.wake(NEVER, () => {});
  }

  /** The driver does nothing until {@link resumeDriver}. */
  stallDriver(): void {
    this.#stalls++;
    // They have one thread.
    for (const service of this.services) if (service.isCalled) service.stall();
  }

  /** Ends one stall of the driver. */
  resumeDriver(): void {
    this.#stalls--;
    for (const service of this.services) if (service.isCalled) service.resume();
  }

  /** Where the pages are; undefined while the driver is down. */
  pages(): PagesSnapshot | undefined {
    return this.#machine?.driver.counts().pages;
  }

  /** What the driver counted of the NIC and of unclaimed packets. */
  counters(): Counts {
    const counts = this.#machine?.driver.counts();
    if (counts === undefined) return {};
    const { receivedPackets, sentPackets, unclaimedPackets } = counts;
    return {
      ...counts.counters,
      "received-packets": receivedPackets,
      "sent-packets": sentPackets,
      "unclaimed-packets": unclaimedPackets,
    };
  }

  /** What must never be, and is or was. Nothing is under way at the moment. */
  violations(): string[] {
    const found = [...this.#found];
    for (const service of this.services) {
      found.push(...this.#refusals(service));
      if (service.failure !== undefined) {
        found.push(`${service.name}: ${service.failure}`);
      }
      found.push(...portViolations(service));
    }
    return [...found, ...this.#pageViolations()];
  }

  #pageViolations(): string[] {
    const machine = this.#machine;
    if (machine === undefined) return [];
    try {
      machine.driver.check();
    } catch (error) {
      return [`${this.driverName}: ${(error as Error).message}`];
    }
    const { pages, accounts } = machine.driver.counts();
    const found = accounts.filter(({ heldPages }) => heldPages < 0)
      .map(({ heldPages }) =>
        `${this.driverName}: ${heldPages} pages are held`
      );
    const { total, free, lent, inFlight, quarantined } = pages;
    if (free + lent + inFlight + quarantined !== total) {
      found.push(
        `${this.driverName}: pages got lost: ${JSON.stringify(pages)}`,
      );
    }
    const resting = this.#stalls === 0 &&
      this.services.every(({ stalled }) => !stalled);
    if (resting && lent + inFlight > 0) {
      found.push(
        `${this.driverName}: at rest, ${lent} pages are lent and ${inFlight} in flight`,
      );
    }
    return found;
  }

  /** What the driver and the filter service refused of a service's, in words. */
  #refusals(service: SimulatedHolder): string[] {
    const machine = this.#machine;
    const { port, name } = service;
    if (machine === undefined || port === undefined) return [];
    const { refusals, accounts } = machine.driver.counts();
    const refused = [...refusals, ...machine.filter.refusals()]
      .filter((one) => one.port === port)
      .flatMap((one) => Object.entries(one.refusals))
      .map(([reason, count]) => `${name}: ${count} refused: ${reason}`);
    const wrong = accounts.filter((one) => one.port === port)
      .map(({ drops }) => drops["send-not-permitted"] ?? 0)
      .filter((count) => count > 0)
      .map((count) =>
        `${name}: ${count} frames were not sent, its capability does not permit them`
      );
    return [...refused, ...wrong];
  }

  #cutOff(port: PortId): void {
    const service = this.services.find((one) => one.port === port);
    if (service === undefined) return;
    service.failure = "it was cut off: too many of its messages were refused";
    this.#parts.time.plan(0, () => this.#disown(service.name));
  }

  #disown(name: string): void {
    const service = this.services.find((one) => one.name === name);
    if (service !== undefined) this.crash(service);
  }
}

/** What no honest end of a port sends, and was sent. */
function portViolations(service: SimulatedHolder): string[] {
  return service.portCounts().flatMap(({ name, counters }) =>
    ["malformed", "unasked", "over", "flooded"]
      .filter((what) => (counters[what] ?? 0) > 0)
      .map((what) => `${service.name}: port ${name}: ${counters[what]} ${what}`)
  );
}

/** The address of a host that names none: the `index`th of 10.77.0.0/24 behind the peer's. */
export function hostAddress(
  name: string,
  options: HostOptions,
  index: number,
): InterfaceAddress {
  const text = options.address ?? `10.77.0.${2 + index}/24`;
  const prefix = readSystemAddress(text);
  if ("problem" in prefix) {
    throw new RangeError(
      `world: the address of ${name} is ${
        JSON.stringify(text)
      }: ${prefix.problem}`,
    );
  }
  if (prefix.address.version === 4) return interfaceAddress(prefix);
  throw new RangeError(`world: the address of ${name}, ${text}, is not IPv4's`);
}
