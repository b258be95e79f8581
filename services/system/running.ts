/** A system at work: starts its parts, starts anew what crashes, ends when that is no use, stops. */

import type { DriverCounts } from "../../caps/driver/messages.ts";
import type { PacketMemory } from "../../caps/memory/memory.ts";
import type { Grant } from "../filter/grant/grant.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { residentBytes } from "../runtime/memory_usage.ts";
import type { Receiver } from "../receiver/receiver.ts";
import type { SystemSnapshot } from "./snapshot.ts";
import { here, type Thread, type Threads, workers } from "../runtime/thread.ts";
import { PortNumbers } from "./nic/connector.ts";
import { DriverTotals } from "./driver/totals.ts";
import { EndOfSystem } from "./end_of_system.ts";
import type { Ending, OpenOptions, RunOptions, System } from "./system.ts";
import { Interposing } from "./supervision/interposing.ts";
import { NicLife } from "./nic/nic_life.ts";
import { Nursery, nurseryPermissions } from "./nursery/host.ts";
import type { Parts } from "./parts.ts";
import { MemoryWatch } from "./supervision/memory_watch.ts";
import { PeerHost } from "./peer/host.ts";
import { Receivers } from "./receivers.ts";
import { Restarts } from "./restarts.ts";
import { oneLine } from "./supervision/service_report.ts";
import { Supervisor } from "./supervision/supervisor.ts";
import { snapshotOf } from "./snapshot_of.ts";

/** Restarts of a NIC's driver and filter service within a minute. */
const NIC_RESTARTS_MAX = 5;

/**
 * Packet memories of crashed drivers that one system keeps: their pages may be
 * written to still, and nobody says when that is over.
 */
const MEMORIES_KEPT_MAX = 16;

/**
 * Packet memory that is over, where somebody was left with pages of it: a
 * thread that does not stop at once writes to them still, and they do not keep
 * it alive.
 */
const memoryInUse: PacketMemory[] = [];

/** {@link System}, with what it takes to start one. */
export class RunningSystem implements System {
  readonly #manifest: Manifest;
  readonly #parts: Parts;
  readonly #options: RunOptions;
  readonly #end = new EndOfSystem();
  readonly #interposing: Interposing;
  readonly #services: Supervisor;
  readonly #receivers: Receivers;
  readonly #ports = new PortNumbers();
  readonly #totals = new DriverTotals();
  readonly #restarts = new Restarts(NIC_RESTARTS_MAX);
  /** The NIC's life now, or the last one. */
  #nic: NicLife | undefined;
  #nicState: SystemSnapshot["nic"]["state"] = "running";
  #nicFailure: string | undefined;
  #nicTimer: ReturnType<typeof setTimeout> | undefined;
  /** Whether its interface was gone once: from then on it is waited for. */
  #awaited = false;
  #memoriesKept = 0;
  #nursery: Nursery | undefined;
  #peer: PeerHost | undefined;
  #memoryWatch: MemoryWatch | undefined;
  #peerThread: Thread | undefined;
  #stopping: Promise<SystemSnapshot> | undefined;
  #started = false;
  #receiving = false;
  #startedMs = performance.now();

  constructor(manifest: Manifest, parts: Parts, options: RunOptions) {
    this.#manifest = manifest;
    this.#parts = parts;
    this.#options = options;
    this.#receivers = new Receivers();
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
      onGone: (port) => this.#disown(port),
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
      this.#startNursery(nic);
      await nic.start();
      this.#receivers.plug(nic.connector);
      await nic.unlessCrashed(this.#services.start(nic.connector));
      await this.#plugPeer(nic);
      this.#services.supervise();
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
      return await this.#assemble(await this.#counts());
    } catch (error) {
      throw this.#end.failure ?? error; // what went wrong first
    }
  }

  /** A capability for the caller itself. */
  async open(receives: Grant, options: OpenOptions = {}): Promise<Receiver> {
    return await this.#receivers.open(receives, options);
  }

  /** Lets packets come in. */
  receive(): void {
    this.#receiving = true;
    if (this.#nicState === "running") this.#nic!.driver.receive();
  }

  /** Stops it and closes the NIC; gives the last counts. */
  stop(): Promise<SystemSnapshot> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<SystemSnapshot> {
    clearTimeout(this.#nicTimer);
    try {
      if (this.#nicState === "restarting" && this.#totals.last !== undefined) {
        return await this.#assemble(this.#totals.last);
      }
      await this.#receivers.close();
      this.#interposing.hurry();
      // First the driver: what the others count then is all that there was.
      const driver = await this.#nic!.driver.stop();
      const { free, total } = driver.pages;
      if (free < total) memoryInUse.push(this.#nic!.memory);
      return await this.#assemble(this.#totals.see(driver));
    } catch (error) {
      memoryInUse.push(this.#nic!.memory); // nobody knows who has what
      throw this.#end.failure ?? error;
    } finally {
      await this.#close();
    }
  }

  /** What starts parts: the system itself as long as it surely may. */
  #threads(): Threads {
    if (!this.#options.confined) return here;
    return this.#started ? this.#nursery! : workers;
  }

  #makeNic(): NicLife {
    const nic = new NicLife({
      manifest: this.#manifest,
      parts: this.#parts,
      threads: this.#threads(),
      confined: this.#options.confined,
      awaited: this.#awaited,
      ports: this.#ports,
      release: async (resources) => await this.#nursery?.release(resources),
      events: {
        onOutlaw: (port, refusals) => this.#services.outlaw(port, refusals),
        onEnded: (warning) => this.#nicEnded(nic, warning),
        onCrashed: (message, mayRunOn) =>
          this.#nicCrashed(nic, message, mayRunOn),
      },
    });
    this.#nic = nic;
    return nic;
  }

  /** While the system has the permissions that its driver needs, the nursery gets them too. */
  #startNursery({ nic }: NicLife): void {
    if (!this.#options.confined) return;
    this.#nursery = new Nursery(
      nurseryPermissions(nic.part.permissions),
      (message) => this.#fail(`the nursery has crashed: ${message}`),
    );
  }

  async #plugPeer({ nic: { peer } }: NicLife): Promise<void> {
    if (peer === undefined) return;
    if (this.#peer === undefined) this.#startPeer(peer);
    else this.#peer.plug(peer);
    await this.#peer!.ask();
  }

  #startPeer(link: MessagePort): void {
    const control = new MessageChannel();
    const { address, seed, pace } = this.#manifest;
    this.#peer = new PeerHost(control.port1);
    this.#peerThread = this.#threads().start(this.#parts.peer, {
      link,
      control: control.port2,
      target: address.address,
      prefixBits: address.prefixBits,
      seed,
      pace,
    }, {
      transfer: [link, control.port2],
      onCrash: (message) => this.#fail(`the peer has crashed: ${message}`),
    });
  }

  /** A service is gone: what it held is revoked, its pages are quarantined; others go on. */
  async #disown(port: number): Promise<void> {
    const nic = this.#nic;
    if (this.#stopping !== undefined || this.#nicState !== "running") return;
    nic?.driver.detach(port);
    await nic?.filter.detach(port).catch((error) => nic.crash(error.message));
  }

  /** The NIC's driver or filter service is gone, and all capabilities with it. */
  #nicCrashed(nic: NicLife, message: string, mayRunOn: boolean): void {
    if (this.#stopping !== undefined) return;
    const failure = oneLine(message);
    if (!this.#started) return this.#fail(failure);
    this.#nicFailure = failure;
    this.#totals.crashed();
    if (nic.nic.mapped === true) {
      memoryInUse.push(nic.memory);
      this.#memoriesKept++;
    }
    const closed = nic.close();
    this.#services.unplug();
    this.#receivers.unplug();
    const hopeless = mayRunOn || nic.nic.restarts === false ||
      this.#memoriesKept > MEMORIES_KEPT_MAX;
    const delayMs = hopeless
      ? undefined
      : this.#restarts.failed(performance.now());
    if (delayMs === undefined) return this.#fail(failure);
    this.#nicState = "restarting";
    this.#options.onRestart?.({ failure, delayMs });
    this.#nicTimer = setTimeout(
      () => void closed.then(() => this.#restartNic()),
      delayMs,
    );
  }

  /** Nothing will ever arrive again, unless the interface is to be waited for. */
  #nicEnded(nic: NicLife, warning: string | undefined): void {
    if (this.#stopping !== undefined || this.#nicState !== "running") return;
    const recovers = this.#manifest.recover === true && warning !== undefined &&
      this.#memoriesKept <= MEMORIES_KEPT_MAX;
    if (!recovers || !this.#started) return this.#end.nicEnded(warning);
    this.#awaited = true;
    this.#nicState = "restarting";
    this.#nicFailure = warning;
    const closed = nic.close().then((last) => {
      if (last !== undefined) this.#totals.see(last);
      this.#totals.crashed();
      if (last !== undefined && last.pages.free === last.pages.total) return;
      memoryInUse.push(nic.memory);
      this.#memoriesKept++;
    });
    this.#services.unplug();
    this.#receivers.unplug();
    this.#options.onRestart?.({ failure: warning, delayMs: Infinity });
    void closed.then(() => this.#restartNic());
  }

  /** A new life of the NIC: all is established again. */
  async #restartNic(): Promise<void> {
    if (this.#stopping !== undefined) return;
    const nic = this.#makeNic();
    try {
      await nic.start();
      this.#receivers.plug(nic.connector);
      await nic.unlessCrashed(this.#plugPeer(nic));
      this.#nicState = "running";
      this.#services.plug(nic.connector).catch((error) =>
        nic.crash(error.message)
      );
      await nic.unlessCrashed(this.#receivers.restore());
      if (this.#receiving) nic.driver.receive();
      this.#restarts.ran(performance.now());
    } catch (error) {
      nic.crash(error instanceof Error ? error.message : String(error));
    }
  }

  /** Services have memory of their own only in workers of their own. */
  #watchMemory(): void {
    if (!this.#options.confined) return;
    this.#memoryWatch = new MemoryWatch({
      residentBytes,
      suspects: () => this.#services.all,
      onRunaway: (message) => this.#fail(message),
    });
  }

  #fail(message: string): void {
    this.#nicState = "failed";
    this.#nicFailure = message;
    this.#nic?.crash(message);
    this.#end.fail(message);
    this.#receivers.end();
  }

  /** The driver's counts, or those before it crashed. */
  async #counts(): Promise<DriverCounts> {
    if (this.#nicState === "running" || this.#totals.last === undefined) {
      const nic = this.#nic!;
      try {
        return this.#totals.see(await nic.driver.counts());
      } catch (error) {
        if (this.#nicState !== "restarting") throw error;
      }
    }
    return this.#totals.last!;
  }

  async #assemble(driver: DriverCounts): Promise<SystemSnapshot> {
    await Promise.all([this.#services.refresh(), this.#peer?.ask()]);
    const { capabilities, refusals } = this.#nicState === "running"
      ? await this.#nic!.filter.describe()
      : { capabilities: [], refusals: [] };
    return snapshotOf({
      uptimeMs: performance.now() - this.#startedMs,
      address: this.#manifest.address.text,
      mac: this.#manifest.mac,
      nic: {
        state: this.#nicState,
        restarts: this.#restarts.count,
        ...(this.#nicFailure === undefined
          ? {}
          : { failure: this.#nicFailure }),
      },
      driver,
      capabilities,
      refusals,
      services: this.#services.all,
      interposing: this.#interposing,
      peer: this.#peer?.counters,
    });
  }

  async #close(): Promise<void> {
    this.#memoryWatch?.[Symbol.dispose]();
    this.#services.stop();
    await this.#nic?.close();
    this.#peer?.close();
    this.#peerThread?.end();
    this.#nursery?.[Symbol.dispose]();
  }
}
