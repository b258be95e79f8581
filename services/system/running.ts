/** A system at work: its NIC, its services, its receivers, from the start to the stop. */

import type { Manifest } from "../manifest/manifest.ts";
import {
  placeProblem,
  type ServicePlace,
  servicesIn,
} from "../manifest/place.ts";
import { formatIpPrefix } from "../wire/ip_address.ts";
import { residentBytes } from "../runtime/memory_usage.ts";
import type { Receiver } from "../receiver/receiver.ts";
import type { Grant } from "../filter/grant/grant.ts";
import type { SystemSnapshot } from "./snapshot.ts";
import { permittedDeno } from "../runtime/process/permitted_deno.ts";
import { here, type Threads, workers } from "../runtime/thread.ts";
import { EndOfSystem } from "./end_of_system.ts";
import type {
  Ending,
  OpenOptions,
  PictureOptions,
  PlacedOptions,
  System,
} from "./system.ts";
import { wiringDot } from "./picture/dot.ts";
import { wiringText } from "./picture/text.ts";
import { wiringSources } from "./picture/sources.ts";
import { wiringOf } from "./picture/wiring.ts";
import { Interposing } from "./supervision/interposing.ts";
import type { NicLife } from "./nic/nic_life.ts";
import { NicSupervisor } from "./nic/nic_supervisor.ts";
import { Nursery, nurseryPermissions } from "./nursery/host.ts";
import type { Parts } from "./parts.ts";
import { MemoryWatch } from "./supervision/memory_watch.ts";
import { PeerHost } from "./peer/host.ts";
import { Receivers } from "./receivers.ts";
import { Supervisor } from "./supervision/supervisor.ts";
import { snapshotOf } from "./snapshot_of.ts";

/** {@link System}, with what it takes to start one. */
export class RunningSystem implements System {
  readonly #manifest: Manifest;
  readonly #parts: Parts;
  readonly #options: PlacedOptions;
  readonly #end = new EndOfSystem();
  readonly #interposing: Interposing;
  readonly #services: Supervisor;
  readonly #receivers = new Receivers();
  #nic: NicSupervisor | undefined;
  #nursery: Nursery | undefined;
  #peer: PeerHost | undefined;
  #memoryWatch: MemoryWatch | undefined;
  #stopping: Promise<SystemSnapshot> | undefined;
  #started = false;
  #receiving = false;
  #startedMs = performance.now();

  constructor(manifest: Manifest, parts: Parts, options: PlacedOptions) {
    this.#manifest = manifest;
    this.#parts = parts;
    this.#options = options;
    this.#interposing = new Interposing(
      manifest.services,
      options.interpose ?? {},
      (name) => this.#services.flooded(name),
    );
    this.#services = new Supervisor({
      manifest,
      parts,
      interposing: this.#interposing,
      threads: () => this.#threads(),
      onPrinted: (line) => options.onNotice?.(line),
      onGone: async (port) => await this.#nic?.disown(port),
      onRestart: ({ name, failure }, delayMs) =>
        options.onRestart?.({ service: name, failure: failure!, delayMs }),
      onFailed: ({ name, failure }) =>
        options.onServiceFailed?.(name, failure!),
    });
  }

  /** Starts everything; resolves when packets flow. */
  async start(): Promise<void> {
    try {
      const nic = this.#makeNic();
      this.#nic = nic;
      this.#startNursery(nic.life);
      const life = await nic.start();
      this.#receivers.plug(life.connector);
      await life.unlessCrashed(this.#services.start(life.connector));
      await this.#plugPeer(life);
      this.#services.supervise();
      nic.supervise();
      this.#startedMs = performance.now();
      this.#started = true;
      this.#watchMemory();
      if (this.#options.paused !== true) this.receive();
    } catch (error) {
      await this.#close();
      throw this.#end.failure ?? error;
    }
  }

  /** Resolves when the system ended by itself. */
  get ended(): Promise<Ending> {
    return this.#end.ended;
  }

  /** The system at this moment. */
  async snapshot(): Promise<SystemSnapshot> {
    if (this.#stopping !== undefined) return await this.#stopping;
    try {
      return await this.#assemble(this.#nic!);
    } catch (error) {
      throw this.#end.failure ?? error; // what went wrong first
    }
  }

  /** What is connected to what at this moment, in words or as a graph. */
  async picture({ format = "text" }: PictureOptions = {}): Promise<string> {
    const sources = await wiringSources({
      nic: this.#nic!,
      services: this.#services.all,
      connections: (service) => this.#services.connections(service),
      interposing: this.#interposing,
      receivers: this.#receivers.connected,
      nursery: this.#nursery,
      peer: this.#peer,
    });
    const wiring = wiringOf(sources);
    return format === "dot" ? wiringDot(wiring) : wiringText(wiring);
  }

  /** Derives a capability for the caller itself. */
  async open(receives: Grant, options: OpenOptions = {}): Promise<Receiver> {
    return await this.#receivers.open(receives, options);
  }

  /** Ends a service's life, and begins another in `place`. */
  async move(name: string, place: ServicePlace): Promise<void> {
    const service = this.#services.all.find((one) => one.name === name);
    if (service === undefined) {
      throw new Error(`move: there is no service ${JSON.stringify(name)}`);
    }
    const problem = placeProblem({ ...service.manifest, place })?.message ??
      this.#placeMissing(place);
    if (problem !== undefined) {
      throw new Error(`move: service ${name}: ${problem}`);
    }
    service.placeIn(place);
    if (service.state === "running") await this.#services.renew(service);
  }

  /** Why a place cannot be had that a system has only from its start. */
  #placeMissing(place: ServicePlace): string | undefined {
    const { nic } = this.#nic!.life;
    const had = servicesIn(place, this.#manifest.services).length > 0;
    if (place === "worker" && this.#options.workers === false) {
      return 'expected "process" or "driver": with confined: "process" there are no workers';
    }
    if (place === "worker" || had) return undefined;
    if (place === "driver" && !this.#options.confined) return undefined;
    if (place === "driver" && nic.callsServices === true) return undefined;
    return `expected the place of a service that the system was started with; start it with one in "${place}"`;
  }

  /** Lets packets come in. */
  receive(): void {
    this.#receiving = true;
    if (this.#nic!.runs) this.#nic!.life.driver.receive();
  }

  /** Stops the parts and closes the NIC; gives the last counts. */
  stop(): Promise<SystemSnapshot> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<SystemSnapshot> {
    const nic = this.#nic!;
    try {
      // First the driver: what the others count then is all that there was.
      await nic.stop(async () => {
        await this.#receivers.close();
        this.#interposing.hurry();
      });
      return await this.#assemble(nic);
    } catch (error) {
      throw this.#end.failure ?? error;
    } finally {
      await this.#close();
    }
  }

  /** What starts parts: the system itself for as long as it surely may. */
  #threads(): Threads {
    if (!this.#options.confined) return here;
    return this.#started ? this.#nursery! : workers;
  }

  #makeNic(): NicSupervisor {
    const { confined, onRestart, onNotice } = this.#options;
    return new NicSupervisor({
      manifest: this.#manifest,
      parts: this.#parts,
      confined,
      threads: () => this.#threads(),
      release: async (resources) => await this.#nursery?.release(resources),
      onCutOff: (port, refusals) => this.#services.cutOff(port, refusals),
      onUnplugged: () => {
        this.#services.unplug();
        this.#receivers.unplug();
      },
      onPlugged: (life) => this.#plug(life),
      onRestart: (failure, delayMs) => onRestart?.({ failure, delayMs }),
      onEnded: (warning) => this.#end.nicEnded(warning),
      onNotice: (text) => onNotice?.(text),
      onFailed: (failure) => {
        this.#end.fail(failure);
        this.#receivers.end();
      },
    });
  }

  /** The nursery gets the driver's permissions, and that to run Deno, while the system still has them. */
  #startNursery({ nic }: NicLife): void {
    if (!this.#options.confined) return;
    this.#nursery = new Nursery(
      nurseryPermissions(
        nic.part.permissions,
        servicesIn("process", this.#manifest.services).length > 0 &&
          !nic.startsProcesses
          ? permittedDeno()
          : undefined,
      ),
      (message) => this.#nic!.fail(`the nursery has crashed: ${message}`),
    );
  }

  /** Connects everybody to a new life of the NIC. */
  async #plug(life: NicLife): Promise<void> {
    const { connector, driver } = life;
    this.#receivers.plug(connector);
    await life.unlessCrashed(this.#plugPeer(life));
    this.#services.plug(connector).catch((error) => life.crash(error.message));
    await life.unlessCrashed(this.#receivers.restore());
    if (this.#receiving) driver.receive();
  }

  async #plugPeer({ nic: { peer: link } }: NicLife): Promise<void> {
    if (link === undefined) return;
    if (this.#peer !== undefined) this.#peer.plug(link);
    this.#peer ??= new PeerHost({
      part: this.#parts.peer,
      threads: this.#threads(),
      manifest: this.#manifest,
      link,
      onCrash: (message) => this.#nic!.fail(`the peer has crashed: ${message}`),
    });
    await this.#peer.ask();
  }

  /** Services have memory of their own only in workers of their own. */
  #watchMemory(): void {
    if (!this.#options.confined) return;
    this.#memoryWatch = new MemoryWatch({
      residentBytes,
      // The kernel limits a process's memory, which is not this one's.
      suspects: () =>
        this.#services.all.filter(({ manifest }) =>
          manifest.place !== "process"
        ),
      onRunaway: (message) => this.#nic!.fail(message),
      onUnexplained: (message) => this.#options.onNotice?.(message),
    });
  }

  async #assemble(nic: NicSupervisor): Promise<SystemSnapshot> {
    const driver = await nic.counts();
    await Promise.all([this.#services.refresh(), this.#peer?.ask()]);
    const { capabilities, refusals } = await nic.describe();
    return snapshotOf({
      uptimeMs: performance.now() - this.#startedMs,
      address: this.#manifest.addresses.map(formatIpPrefix).join(", "),
      mac: this.#manifest.mac,
      nic: nic.snapshot,
      driver,
      capabilities,
      refusals,
      services: this.#services.all,
      connections: (service) => this.#services.connections(service),
      interposing: this.#interposing,
      peer: this.#peer?.counters,
    });
  }

  async #close(): Promise<void> {
    this.#memoryWatch?.[Symbol.dispose]();
    this.#services.stop();
    await this.#nic?.close();
    this.#peer?.close();
    await this.#nursery?.close();
  }
}
