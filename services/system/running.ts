/** A system at work: starts its parts, ends when one of them fails, stops. */

import type { DriverCounts } from "../../caps/driver_protocol.ts";
import { makePacketMemory, type PacketMemory } from "../../caps/memory.ts";
import type { Grant } from "../filter/grant.ts";
import type { Manifest } from "../manifest.ts";
import type { Receiver } from "../receiver.ts";
import type { SystemSnapshot } from "../snapshot.ts";
import { type Part, startPart, type Thread } from "../thread.ts";
import { Connector, SYSTEM_PORT } from "./connector.ts";
import { DriverHost } from "./driver_host.ts";
import { Fate } from "./fate.ts";
import { FilterHost } from "./filter_host.ts";
import type { Ending, OpenOptions, RunOptions, System } from "./handle.ts";
import type { Nic, Parts } from "./parts.ts";
import { PeerHost } from "./peer_host.ts";
import { Receivers } from "./receivers.ts";
import type { ServiceHost } from "./service_host.ts";
import { Services } from "./services.ts";
import { snapshotOf } from "./snapshot_of.ts";

/**
 * Packet memory of systems that are over, where somebody was left with pages of
 * it: a thread that does not stop at once writes to them still, and they do not
 * keep it alive.
 */
const memoryInUse: PacketMemory[] = [];

/** {@link System}, with what it takes to start one. */
export class RunningSystem implements System {
  readonly #manifest: Manifest;
  readonly #parts: Parts;
  readonly #options: RunOptions;
  readonly #fate = new Fate();
  readonly #services: Services;
  readonly #threads: Thread[] = [];
  /** Held here for as long as the system runs: pages made of it do not keep it alive. */
  readonly #memory: PacketMemory;
  #driver: DriverHost | undefined;
  #filter: FilterHost | undefined;
  #receivers: Receivers | undefined;
  #peer: PeerHost | undefined;
  #stopping: Promise<SystemSnapshot> | undefined;
  #started = false;
  #startedMs = performance.now();

  constructor(manifest: Manifest, parts: Parts, options: RunOptions) {
    this.#manifest = manifest;
    this.#parts = parts;
    this.#options = options;
    this.#memory = makePacketMemory(manifest.frames);
    this.#services = new Services({
      manifest,
      parts: parts.services,
      confined: options.confined,
      onFailed: (host) => this.#disown(host),
    });
  }

  /** Starts everything; resolves when packets flow. */
  async start(): Promise<void> {
    try {
      const orders = new MessageChannel();
      const nic = this.#parts.nic(this.#manifest);
      const driver = await this.#startDriver(nic, orders.port1);
      const filter = await this.#startFilter(nic, orders.port2);
      const connector = new Connector(driver, filter);
      this.#receivers = new Receivers(connector, this.#fate);
      await this.#fate.unlessFailed(this.#services.start(connector));
      if (nic.peer !== undefined) await this.#startPeer(nic.peer);
      this.#services.refuseFailed();
      this.#startedMs = performance.now();
      this.#started = true;
      if (this.#options.paused !== true) this.receive();
    } catch (error) {
      await this.#close();
      throw this.#fate.failure ?? error;
    }
  }

  /** Resolves when the system ended by itself. */
  get ended(): Promise<Ending> {
    return this.#fate.ended;
  }

  /** The system at this moment. */
  async snapshot(): Promise<SystemSnapshot> {
    if (this.#stopping !== undefined) return await this.#stopping;
    try {
      const driver = await this.#driver!.counts();
      return await this.#assemble(driver);
    } catch (error) {
      throw this.#fate.failure ?? error; // what went wrong first
    }
  }

  /** A capability for the caller itself. */
  async open(receives: Grant, options: OpenOptions = {}): Promise<Receiver> {
    return await this.#receivers!.open(receives, options);
  }

  /** Lets packets come in. */
  receive(): void {
    this.#driver!.receive();
  }

  /** Stops it and closes the NIC; gives the last counts. */
  stop(): Promise<SystemSnapshot> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<SystemSnapshot> {
    try {
      await this.#receivers!.close();
      // First the driver: what the others count then is all that there was.
      const driver = await this.#driver!.stop();
      const { free, total } = driver.pages;
      if (free < total) memoryInUse.push(this.#memory);
      return await this.#assemble(driver);
    } catch (error) {
      memoryInUse.push(this.#memory); // nobody knows who has what
      throw this.#fate.failure ?? error;
    } finally {
      await this.#close();
    }
  }

  async #startDriver(nic: Nic, orders: MessagePort): Promise<DriverHost> {
    const control = new MessageChannel();
    const driver = new DriverHost(control.port1, {
      onOutlaw: (port, refusals) => this.#services.outlaw(port, refusals),
      onEnded: (warning) => this.#fate.nicEnded(warning),
      onFailed: (message) => this.#fail(message),
    });
    this.#driver = driver;
    this.#begin("the driver", nic.part, {
      options: nic.options,
      memory: this.#memory.wasm,
      frameCount: this.#memory.frameCount,
      orders,
      control: control.port2,
    }, [...nic.transfer, orders, control.port2]);
    await driver.opened;
    return driver;
  }

  async #startFilter(nic: Nic, driver: MessagePort): Promise<FilterHost> {
    const control = new MessageChannel();
    const filter = new FilterHost(
      control.port1,
      (port, refusals) => this.#services.outlaw(port, refusals),
    );
    this.#filter = filter;
    this.#begin("the filter service", this.#parts.filter, {
      target: {
        memoryPages: this.#memory.bytes.byteLength / 65536,
        ...(nic.kernel === undefined ? {} : { kernel: nic.kernel }),
      },
      // A quarter of the frames stays the NIC's, whatever holders do.
      quotaPages: this.#memory.frameCount -
        Math.ceil(this.#memory.frameCount / 4),
      system: SYSTEM_PORT,
      driver,
      control: control.port2,
    }, [driver, control.port2]);
    await filter.root;
    return filter;
  }

  async #startPeer(link: MessagePort): Promise<void> {
    const control = new MessageChannel();
    const { address, seed, pace } = this.#manifest;
    this.#peer = new PeerHost(control.port1);
    this.#begin("the peer", this.#parts.peer, {
      link,
      control: control.port2,
      target: address.address,
      prefixBits: address.prefixBits,
      seed,
      pace,
    }, [link, control.port2]);
    await this.#peer.ask();
  }

  /** Starts a part that the whole system needs: its crash is the system's end. */
  #begin<Start>(
    name: string,
    part: Part<Start>,
    start: Start,
    transfer: Transferable[],
  ): void {
    this.#threads.push(startPart(part, start, {
      confined: this.#options.confined,
      transfer,
      onCrash: (message) => this.#fail(`${name} has crashed: ${message}`),
    }));
  }

  /** A service is gone: what it held is revoked, its pages are quarantined; others go on. */
  #disown({ name, port, failure }: ServiceHost): void {
    if (this.#stopping !== undefined) return;
    this.#driver?.detach(port);
    this.#filter?.detach(port).catch((error) => {
      if (this.#started && this.#stopping === undefined) {
        this.#fail(error.message);
      }
    });
    if (this.#started) this.#options.onServiceFailed?.(name, failure!);
  }

  #fail(message: string): void {
    this.#driver?.fail(message);
    this.#filter?.fail(message);
    this.#fate.fail(message);
  }

  async #assemble(driver: DriverCounts): Promise<SystemSnapshot> {
    await Promise.all([this.#services.refresh(), this.#peer?.ask()]);
    const { capabilities, refusals } = await this.#filter!.describe();
    return snapshotOf({
      uptimeMs: performance.now() - this.#startedMs,
      address: this.#manifest.address.text,
      mac: this.#manifest.mac,
      driver,
      capabilities,
      refusals,
      services: this.#services.hosts,
      peer: this.#peer?.counters,
    });
  }

  async #close(): Promise<void> {
    this.#services.stop();
    // A driver leaves its NIC as it found it, if it still can.
    await this.#driver?.stop().catch(() => {});
    this.#peer?.close();
    this.#filter?.close();
    this.#driver?.close();
    for (const thread of this.#threads) thread.end();
  }
}
