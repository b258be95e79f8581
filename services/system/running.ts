/** A system at work: starts its parts, connects them, ends what fails, stops. */

import type { Counts } from "../../caps/accounts.ts";
import type { DriverCounts } from "../../caps/driver_protocol.ts";
import { makePacketMemory, type PacketMemory } from "../../caps/memory.ts";
import type { PortId } from "../../caps/kernel.ts";
import { fromMessagePort } from "../../caps/port.ts";
import { RIGHT_DERIVE, RIGHT_RECEIVE, RIGHT_SEND } from "../../caps/rights.ts";
import { takeNow } from "../../drivers/service/shell.ts";
import type { ServiceSettings } from "../definition.ts";
import { FilterClient } from "../filter/client.ts";
import type { Grant } from "../filter/grant.ts";
import type { Manifest, ServiceManifest } from "../manifest.ts";
import { Receiver } from "../receiver.ts";
import type { SystemSnapshot } from "../snapshot.ts";
import { type Part, startPart, type Thread } from "../thread.ts";
import { DriverHost } from "./driver_host.ts";
import { FilterHost } from "./filter_host.ts";
import { PeerHost } from "./peer_host.ts";
import type { Ending, OpenOptions, RunOptions, System } from "./handle.ts";
import type { Nic, Parts } from "./parts.ts";
import { ServiceHost } from "./service_host.ts";
import { snapshotOf } from "./snapshot_of.ts";

/** The system's own port: the root capability is in its table. */
const SYSTEM_PORT: PortId = 0;

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
  readonly #ending = Promise.withResolvers<Ending>();
  readonly #services: ServiceHost[] = [];
  readonly #receivers = new Set<Receiver>();
  readonly #threads: Thread[] = [];
  /** Held here for as long as the system runs: pages made of it do not keep it alive. */
  readonly #memory: PacketMemory;
  #driver: DriverHost | undefined;
  #filter: FilterHost | undefined;
  #client: FilterClient | undefined;
  #peer: PeerHost | undefined;
  #nextPort: PortId = SYSTEM_PORT + 1;
  #stopping: Promise<SystemSnapshot> | undefined;
  #started = false;
  #failure: Error | undefined;
  #startedMs = performance.now();

  constructor(manifest: Manifest, parts: Parts, options: RunOptions) {
    this.#manifest = manifest;
    this.#parts = parts;
    this.#options = options;
    this.#memory = makePacketMemory(manifest.frames);
  }

  /** Starts everything; resolves when packets flow. */
  async start(): Promise<void> {
    try {
      const orders = new MessageChannel();
      const nic = this.#parts.nic(this.#manifest);
      await this.#startDriver(nic, orders.port1);
      const client = await this.#startFilter(nic, orders.port2);
      this.#client = client;
      await this.#startServices(client);
      if (nic.peer !== undefined) await this.#startPeer(nic.peer);
      this.#refuseFailed();
      this.#startedMs = performance.now();
      this.#started = true;
      if (this.#options.paused !== true) this.receive();
    } catch (error) {
      await this.#close();
      throw this.#failure ?? error;
    }
  }

  /** Resolves when the system ended by itself. */
  get ended(): Promise<Ending> {
    return this.#ending.promise;
  }

  /** The system at this moment. */
  async snapshot(): Promise<SystemSnapshot> {
    if (this.#stopping !== undefined) return await this.#stopping;
    try {
      const driver = await this.#driver!.counts();
      return await this.#assemble(driver);
    } catch (error) {
      throw this.#failure ?? error; // what went wrong first
    }
  }

  /** A capability for the caller itself. */
  async open(receives: Grant, options: OpenOptions = {}): Promise<Receiver> {
    const { sends, quotaPages = 64, copyBytesMax } = options;
    const port = this.#nextPort++;
    const data = new MessageChannel();
    const requests = new MessageChannel();
    this.#driver!.attach(port, data.port1);
    this.#filter!.attach(port, requests.port1);
    await this.#introduced();
    const revoke = async () => {
      requests.port2.close();
      if (this.#failure === undefined) await this.#filter!.detach(port);
    };
    const detach = () => this.#driver!.detach(port);
    try {
      const capability = await this.#client!.derive({
        from: await this.#filter!.root,
        grant: receives,
        ...(sends === undefined ? {} : { sends }),
        rights: sends === undefined
          ? RIGHT_RECEIVE
          : RIGHT_RECEIVE | RIGHT_SEND,
        quotaPages,
        ...(copyBytesMax === undefined ? {} : { copyBytesMax }),
        to: port,
      });
      const receiver = new Receiver({
        port: fromMessagePort(data.port2, { takeNow }),
        capability,
        revoke,
        detach: () => {
          this.#receivers.delete(receiver);
          detach();
        },
      });
      this.#receivers.add(receiver);
      return receiver;
    } catch (error) {
      data.port2.close();
      await revoke();
      detach();
      throw error;
    }
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
      // What the caller holds and has not read comes home.
      await Promise.allSettled(
        [...this.#receivers].map((one) => one[Symbol.asyncDispose]()),
      );
      // First the driver: what the others count then is all that there was.
      const driver = await this.#driver!.stop();
      const { free, total } = driver.pages;
      if (free < total) memoryInUse.push(this.#memory);
      return await this.#assemble(driver);
    } catch (error) {
      memoryInUse.push(this.#memory); // nobody knows who has what
      throw this.#failure ?? error;
    } finally {
      await this.#close();
    }
  }

  async #startDriver(nic: Nic, orders: MessagePort): Promise<void> {
    const control = new MessageChannel();
    const driver = new DriverHost(control.port1, {
      onOutlaw: (port, refusals) => this.#outlaw(port, refusals),
      onEnded: (warning) =>
        this.#ending.resolve({
          reason: "nic-ended",
          ...(warning === undefined ? {} : { warning }),
        }),
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
  }

  async #startFilter(nic: Nic, driver: MessagePort): Promise<FilterClient> {
    const control = new MessageChannel();
    const filter = new FilterHost(
      control.port1,
      (port, refusals) => this.#outlaw(port, refusals),
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
    const requests = new MessageChannel();
    filter.attach(SYSTEM_PORT, requests.port1);
    return new FilterClient(fromMessagePort(requests.port2));
  }

  async #startServices(client: FilterClient): Promise<void> {
    const entries = Object.entries(this.#manifest.services);
    const wired = entries.map(([name, service]) =>
      this.#wire(name, service, this.#nextPort++)
    );
    await this.#introduced();
    await this.#unlessFailed(
      Promise.all(wired.map((start) => start(client))),
    );
  }

  /** @throws when a service has failed already. */
  #refuseFailed(): void {
    const failed = this.#services.find(({ state }) => state === "failed");
    if (failed === undefined) return;
    throw new Error(`service ${failed.name} did not start: ${failed.failure}`);
  }

  /**
   * Resolves when the driver and the filter service know every holder that was
   * attached: what is asked on another port may overtake that.
   */
  async #introduced(): Promise<void> {
    await Promise.all([this.#driver!.counts(), this.#filter!.describe()]);
  }

  /** Connects one service's ports. Returns what starts it. */
  #wire(
    name: string,
    service: ServiceManifest,
    port: PortId,
  ): (client: FilterClient) => Promise<void> {
    const data = new MessageChannel();
    const requests = new MessageChannel();
    const control = new MessageChannel();
    this.#driver!.attach(port, data.port1);
    this.#filter!.attach(port, requests.port1);
    const host = new ServiceHost(
      { name, port, control: control.port1 },
      (host) => this.#disown(host),
    );
    this.#services.push(host);
    return async (client) => {
      const part = this.#parts.services[service.core]!;
      const settings: ServiceSettings = {
        address: this.#manifest.address.address,
        prefixBits: this.#manifest.address.prefixBits,
        mac: this.#manifest.mac,
        ...("port" in service ? { port: service.port } : {}),
      };
      const { quotaPages, copyBytesMax } = service;
      const envelope = await client.derive({
        from: await this.#filter!.root,
        grant: part.definition.receives(settings),
        sends: part.definition.sends(settings),
        rights: RIGHT_RECEIVE | RIGHT_SEND | RIGHT_DERIVE,
        quotaPages,
        to: port,
      });
      host.started(startPart(part, {
        settings,
        envelope,
        quotaPages,
        copyBytesMax,
        data: data.port2,
        requests: requests.port2,
        control: control.port2,
      }, {
        confined: this.#options.confined,
        transfer: [data.port2, requests.port2, control.port2],
        onCrash: (message) => host.fail(message),
      }));
      await host.settled;
    };
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

  /** A holder was cut off by the driver or the filter service. */
  #outlaw(port: PortId, refusals: Counts): void {
    const service = this.#services.find((service) => service.port === port);
    if (service === undefined || service.state === "failed") return;
    service.refusals = refusals;
    service.fail("it was cut off: too many of its messages were refused");
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
    this.#failure ??= new Error(message);
    this.#driver?.fail(message);
    this.#filter?.fail(message);
    this.#ending.resolve({ reason: "failed", error: this.#failure });
  }

  /** Waits for `work`, but not for parts that are gone. */
  async #unlessFailed(work: Promise<unknown>): Promise<void> {
    const failed = this.#ending.promise.then((ending) => {
      if (ending.reason === "failed") throw ending.error;
      return work;
    });
    await Promise.race([work, failed]);
  }

  async #assemble(driver: DriverCounts): Promise<SystemSnapshot> {
    await Promise.all([
      ...this.#services.map((service) => service.refresh()),
      this.#peer?.ask(),
    ]);
    const { capabilities, refusals } = await this.#filter!.describe();
    return this.#snapshotOf({
      driver,
      capabilities,
      refusals,
      peer: this.#peer?.counters,
    });
  }

  #snapshotOf(
    parts: Pick<
      Parameters<typeof snapshotOf>[0],
      "driver" | "capabilities" | "refusals" | "peer"
    >,
  ): SystemSnapshot {
    return snapshotOf({
      ...parts,
      uptimeMs: performance.now() - this.#startedMs,
      address: this.#manifest.address.text,
      mac: this.#manifest.mac,
      services: this.#services,
    });
  }

  async #close(): Promise<void> {
    for (const service of this.#services) service.stop();
    // A driver leaves its NIC as it found it, if it still can.
    await this.#driver?.stop().catch(() => {});
    this.#peer?.close();
    this.#filter?.close();
    this.#driver?.close();
    for (const thread of this.#threads) thread.end();
  }
}
