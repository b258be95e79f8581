/**
 * A world in one process, on virtual time: hosts with the real driver service,
 * filter service and service runner, a wire with faults, a peer. Nothing in it
 * reads a clock, waits or draws a number but from its seed: the same options
 * give the same events, to the byte.
 *
 * ```ts
 * const services = { arp: arpService, echo: udpEchoService };
 * using world = simulate({ services, peer: {} });
 * await world.run({ forMs: 100 });
 * world.check();
 * console.log(formatTrace(world.trace));
 * ```
 */

import { setImmediate } from "node:timers";
import type { Counts } from "../../caps/driver/accounts.ts";
import type { PagesSnapshot } from "../../caps/memory/page_ledger.ts";
import type { Core } from "../../services/core/core.ts";
import type { PortCounts } from "../../services/core/ports.ts";
import type { Instant } from "../../services/runtime/clock.ts";
import { seedOf } from "../../services/runtime/random.ts";
import { makePeer, type PeerOptions } from "../../services/peer/core.ts";
import { LinkRunner } from "../../services/peer/runner.ts";
import {
  type Fault,
  type FaultPlan,
  FrameFaults,
  isFrameFault,
  type PartyFault,
  partyFaults,
} from "./faults.ts";
import { Host, hostAddress, type HostOptions } from "./host.ts";
import { Link, type LinkOptions } from "./link.ts";
import { Medium, type WireFrame } from "./medium.ts";
import type { SimulatedHolder, SimulatedService } from "./service.ts";
import { formatTrace, Trace, type TraceEvent } from "./trace.ts";
import { VirtualTime } from "./virtual_time.ts";

/** What a world is made of. */
export interface SimulationOptions {
  /** What every choice comes from, 32 bits; 1 by default. */
  readonly seed?: number;
  /** The services of the one host, which is called `host`. */
  readonly services?: Readonly<Record<string, SimulatedService>>;
  /** Or several hosts on one wire, by name. Their parties are then called `a/echo`, `a/driver`. */
  readonly hosts?: Readonly<Record<string, HostOptions>>;
  /** What else is on the wire: a core, or our own peer, which pings and echoes with the first host. None by default. */
  readonly peer?: Core | Partial<PeerOptions>;
  /** What goes wrong: nothing by default. */
  readonly faults?: FaultPlan | readonly Fault[];
  /** From one station to the others; 50 by default. */
  readonly latencyUs?: number;
  /** Rate, queue and delay of each station's link; at once, and `latencyUs` later, by default. */
  readonly link?: LinkOptions;
  /** And of single stations' links, by their names: what is absent there is as in `link`. */
  readonly links?: Readonly<Record<string, LinkOptions>>;
}

/** The station that {@link World.send} sends from. */
const TEST_STATION = "test";

/** The peer's station, and what it is called. */
const PEER = "peer";

/** The peer's addresses. */
const PEER_ADDRESS = 0x0a4d0001;
const PEER_MAC = Uint8Array.of(0x02, 0x50, 0x0a, 0x4d, 0x00, 0x01);

/** Rounds without an end at one moment. */
const ROUNDS_MAX = 10_000;

/** Events that are shown when something is wrong. */
const EVENTS_SHOWN = 20;

/** Makes a world. Nothing happens in it before {@link World.run}. */
export function simulate(options: SimulationOptions): World {
  return new World(options);
}

/** A simulated world; {@link simulate} makes one. */
export class World implements Disposable {
  readonly #time = new VirtualTime();
  readonly #trace = new Trace(() => this.#time.now);
  readonly #medium: Medium;
  readonly #hosts: readonly Host[];
  readonly #startPeer: (() => LinkRunner) | undefined;
  #peer: LinkRunner | undefined;
  readonly #partyFaults: PartyFault[] = [];
  #started = false;
  #running = false;
  #over = false;

  /** See {@link simulate}. */
  constructor(options: SimulationOptions) {
    const { seed = 1, latencyUs = 50, link = {}, links = {} } = options;
    if (!(latencyUs > 0)) {
      throw new RangeError(
        `world: latencyUs is ${latencyUs}; it must be above 0`,
      );
    }
    const plan = planOf(options.faults);
    const time = this.#time;
    const trace = this.#trace;
    this.#medium = new Medium({
      time,
      trace,
      faults: new FrameFaults(seedOf(seed, 1), plan),
      linkOf: (station) =>
        new Link({ delayUs: latencyUs, ...link, ...links[station] }),
    });
    this.#hosts = this.#makeHosts(options, seed);
    this.#startPeer = this.#peerOf(options, seed);
    this.#plan(seed, plan);
    for (const station of [...this.#stations, ...Object.keys(links)]) {
      this.#linkOf(station);
    }
  }

  /** Microseconds since the beginning. */
  get nowUs(): Instant {
    return this.#time.now;
  }

  /** What has happened. */
  get trace(): readonly TraceEvent[] {
    return this.#trace.events;
  }

  /** The faults that have happened, one by one: a schedule for a world in which the same happens. */
  get faults(): readonly Fault[] {
    return [...this.#medium.befallen, ...this.#partyFaults];
  }

  /** What `station` has sent, before any fault; all stations' if none is named. */
  sent(station?: string): readonly WireFrame[] {
    return framesOf(this.#medium.departed, station);
  }

  /** What came to `station`, after any fault. */
  heard(station?: string): readonly WireFrame[] {
    return framesOf(this.#medium.arrived, station);
  }

  /** How many frames of `station`'s found the queue of its link full. */
  dropped(station: string): number {
    return this.#linkOf(station).dropped;
  }

  /** Sends a frame from outside, as station `test`, in `inMs` milliseconds or at once. */
  send(frame: Uint8Array, inMs: number = 0): void {
    const bytes = Uint8Array.from(frame);
    this.#time.plan(
      this.#time.now + inMs * 1000,
      () => this.#medium.carry(TEST_STATION, bytes),
    );
  }

  /** Lets so much time pass. The first call begins with starting everything. */
  async run({ forMs }: { readonly forMs: number }): Promise<void> {
    if (this.#over) throw new Error("world: it is over");
    if (this.#running) throw new Error("world: it runs already; await run()");
    this.#running = true;
    try {
      await this.#runUntil(this.#time.now + forMs * 1000);
    } finally {
      this.#running = false;
    }
  }

  async #runUntil(until: Instant): Promise<void> {
    if (!this.#started) {
      this.#started = true;
      for (const host of this.#hosts) host.up();
      await this.#settle();
      this.#peer = this.#startPeer?.();
    }
    for (;;) {
      await this.#settle();
      if (this.#over || this.#time.nextAt > until) break;
      this.#time.step();
    }
    this.#time.advance(until);
  }

  /**
   * Proves what must hold in every world: pages are conserved, and home when
   * all is at rest; no core threw; no service sent what it may not, or a message
   * that its driver refused.
   * @throws when something does not; the message shows what happened last.
   */
  check(): void {
    const found = this.#hosts.flatMap((host) => host.violations());
    if (found.length === 0) return;
    throw new Error(
      `this must not be:\n${
        found.map((line) => `  ${line}\n`).join("")
      }the last events:\n${formatTrace(this.trace.slice(-EVENTS_SHOWN))}`,
    );
  }

  /**
   * What `who` has counted since it last started: a service, `driver`, or
   * `peer`.
   */
  counters(who: string): Counts {
    if (who === PEER && this.#startPeer !== undefined) {
      return this.#peer?.counters() ?? {};
    }
    const { host, service } = this.#party(who);
    return service?.counters() ?? host.counters();
  }

  /** What a service has counted at its ports since it last started. */
  ports(service: string): readonly PortCounts[] {
    return this.#party(service).service?.portCounts() ?? [];
  }

  /** Where a host's pages are; undefined while its driver is down. The first host's if none is named. */
  pages(host?: string): PagesSnapshot | undefined {
    const found = host === undefined
      ? this.#hosts[0]
      : this.#hosts.find(({ name }) => name === host);
    return found?.pages();
  }

  /** Ends it. */
  [Symbol.dispose](): void {
    if (this.#over) return;
    this.#over = true;
    for (const host of this.#hosts) host.crashDriver();
    this.#peer?.[Symbol.dispose]();
  }

  /** Lets everything that is due at this moment be done, until nothing is left. */
  async #settle(): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      // One turn of the event loop: every message of a pipe is delivered then.
      await new Promise<void>((resolve) => void setImmediate(resolve));
      let done = 0;
      for (const host of this.#hosts) done += host.turn();
      if (done === 0) return;
    }
    throw new Error(`world: it does not come to rest at ${this.#time.now} µs`);
  }

  #makeHosts(options: SimulationOptions, seed: number): Host[] {
    const { services, hosts } = options;
    if ((services === undefined) === (hosts === undefined)) {
      throw new RangeError("world: give either services or hosts");
    }
    const named = Object.entries(hosts ?? { host: { services: services! } });
    return named.map(([name, hostOptions], index) =>
      new Host({
        name,
        prefix: hosts === undefined ? "" : `${name}/`,
        options: hostOptions,
        address: hostAddress(name, hostOptions, index),
        seed: seedOf(seed, 100 + index),
        time: this.#time,
        trace: this.#trace,
        medium: this.#medium,
      })
    );
  }

  /** What starts the peer; undefined when there is none. */
  #peerOf(
    { peer }: SimulationOptions,
    seed: number,
  ): (() => LinkRunner) | undefined {
    if (peer === undefined) return undefined;
    const core = "receive" in peer ? peer : makePeer({
      mac: PEER_MAC,
      address: PEER_ADDRESS,
      target: this.#hosts[0]!.address,
      seed: seedOf(seed, 2),
      pingIntervalUs: 10_000,
      udpIntervalUs: 10_000,
      ...peer,
    });
    return () =>
      new LinkRunner(core, this.#medium.join(PEER), this.#time.makeClock());
  }

  #linkOf(station: string): Link {
    const stations = this.#stations;
    if (stations.includes(station)) return this.#medium.linkOf(station);
    throw new RangeError(
      `links: one of ${JSON.stringify(station)}; there are ${
        stations.join(", ")
      }`,
    );
  }

  /** Names of all that may send. */
  get #stations(): string[] {
    return [
      ...this.#hosts.map(({ name }) => name),
      ...(this.#startPeer === undefined ? [] : [PEER]),
      TEST_STATION,
    ];
  }

  /** Puts the crashes and stalls of a plan on the agenda. */
  #plan(seed: number, plan: FaultPlan): void {
    const parties = this.#hosts.flatMap((host) => [
      ...host.services.map(({ name }) => name),
      host.driverName,
    ]);
    const stations = this.#stations;
    for (const fault of plan.schedule ?? []) {
      const [name, known] = isFrameFault(fault)
        ? [fault.from, stations]
        : [fault.who, parties];
      if (!known.includes(name)) {
        throw new RangeError(
          `faults: a ${fault.kind} of ${JSON.stringify(name)}; there are ${
            known.join(", ")
          }`,
        );
      }
    }
    for (const fault of partyFaults(seedOf(seed, 3), plan, parties)) {
      this.#time.plan(fault.atMs * 1000, () => this.#befall(fault));
    }
  }

  /** A crash or a stall. */
  #befall(fault: PartyFault): void {
    const { who, kind, atMs, forMs } = fault;
    const { host, service } = this.#party(who);
    this.#partyFaults.push(fault);
    this.#trace.add(
      who,
      `${kind === "crash" ? "crashes" : "stalls"} for ${forMs} ms`,
    );
    const endUs = (atMs + forMs) * 1000;
    if (kind === "crash") {
      if (service === undefined) host.crashDriver();
      else host.crash(service);
      this.#time.plan(endUs, () => this.#restart(host, service));
    } else {
      const party = service ?? {
        stall: () => host.stallDriver(),
        resume: () => host.resumeDriver(),
      };
      party.stall();
      this.#time.plan(endUs, () => {
        this.#trace.add(who, "goes on");
        party.resume();
      });
    }
  }

  #restart(host: Host, service: SimulatedHolder | undefined): void {
    if (service !== undefined) host.start(service);
    else if (!host.isUp) host.up();
  }

  #party(who: string): { host: Host; service?: SimulatedHolder } {
    for (const host of this.#hosts) {
      if (who === host.driverName) return { host };
      const service = host.services.find(({ name }) => name === who);
      if (service !== undefined) return { host, service };
    }
    throw new RangeError(`world: nobody is called ${JSON.stringify(who)}`);
  }
}

function planOf(faults: FaultPlan | readonly Fault[] = {}): FaultPlan {
  return Array.isArray(faults)
    ? { schedule: faults as readonly Fault[] }
    : faults as FaultPlan;
}

function framesOf(
  frames: readonly WireFrame[],
  station: string | undefined,
): readonly WireFrame[] {
  if (station === undefined) return frames;
  return frames.filter((frame) => frame.station === station);
}
