/** A system at work: starts its parts, connects them, ends what fails, stops. */

import { makePacketMemory } from "../../caps/memory.ts";
import type { PortId } from "../../caps/kernel.ts";
import { fromMessagePort } from "../../caps/port.ts";
import { RIGHT_DERIVE, RIGHT_RECEIVE, RIGHT_SEND } from "../../caps/rights.ts";
import type { DriverStart } from "../../drivers/service/shell.ts";
import type { ServiceDefinition, ServiceSettings } from "../definition.ts";
import { FilterClient } from "../filter/client.ts";
import type { FilterStart } from "../filter/start.ts";
import type { Grant } from "../filter/grant.ts";
import type { Manifest, ServiceManifest } from "../manifest.ts";
import { Receiver } from "../receiver.ts";
import type { ServiceStart } from "../shell.ts";
import type { SystemSnapshot } from "../snapshot.ts";
import { type Part, startPart, type Thread } from "../thread.ts";
import { DriverHost } from "./driver_host.ts";
import { FilterHost } from "./filter_host.ts";
import { PeerHost } from "./peer_host.ts";
import type { PeerStart } from "./peer_start.ts";
import { ServiceHost } from "./service_host.ts";
import { snapshotOf } from "./snapshot_of.ts";

/** How a system ended by itself. */
export type Ending =
  /** Nothing will ever arrive again: a capture that is replayed, a link that is gone. */
  | { readonly reason: "nic-ended" }
  | { readonly reason: "failed"; readonly error: Error };

/** A system that runs. */
export interface System {
  /** The system at this moment. */
  snapshot(): Promise<SystemSnapshot>;
  /** Resolves when the system ended by itself. */
  readonly ended: Promise<Ending>;
  /**
   * A capability for the caller itself: its packets come by `for await`.
   * @throws {RefusedError} when the grant overlaps another's, or the pages are gone.
   */
  open(receives: Grant, options?: OpenOptions): Promise<Receiver>;
  /** Stops it and closes the NIC; gives the last counts. */
  stop(): Promise<SystemSnapshot>;
}

/** What a capability of the caller's is to be, besides its grant. */
export interface OpenOptions {
  /** Frames that may be sent under it; none unless given. */
  readonly sends?: Grant;
  /** Pages that may be held unread; 64 unless given. */
  readonly quotaPages?: number;
  /** Packets of up to so many bytes are copied, larger ones come as pages; 128 unless given. */
  readonly copyBytesMax?: number;
}

/** A NIC, before it is open. */
export interface Nic {
  readonly part: Part<DriverStart<unknown>>;
  readonly options: unknown;
  readonly transfer: Transferable[];
  /** The far end of its wire, where the system brings a peer. */
  readonly peer?: MessagePort;
  /** Where the NIC classifies itself: what becomes of packets that are nobody's. */
  readonly kernel?: FilterStart["target"]["kernel"];
}

/** What a system is made of. */
export interface Parts {
  readonly filter: Part<FilterStart>;
  readonly peer: Part<PeerStart>;
  /** By the core's name. */
  readonly services: Readonly<
    Record<
      string,
      Part<ServiceStart> & { readonly definition: ServiceDefinition }
    >
  >;
  nic(manifest: Manifest): Nic;
}

/** The system's own port: the root capability is in its table. */
const SYSTEM_PORT: PortId = 0;

/** {@link System}, with what it takes to start one. */
export class RunningSystem implements System {
  readonly #manifest: Manifest;
  readonly #parts: Parts;
  readonly #confined: boolean;
  readonly #ending = Promise.withResolvers<Ending>();
  readonly #services: ServiceHost[] = [];
  readonly #threads: Thread[] = [];
  /** Held here for as long as the system runs: pages made of it do not keep it alive. */
  readonly #memory;
  #driver: DriverHost | undefined;
  #filter: FilterHost | undefined;
  #client: FilterClient | undefined;
  #peer: PeerHost | undefined;
  #nextPort: PortId = SYSTEM_PORT + 1;
  #stopping: Promise<SystemSnapshot> | undefined;
  #startedMs = performance.now();

  constructor(
    manifest: Manifest,
    parts: Parts,
    options: { readonly confined: boolean },
  ) {
    this.#manifest = manifest;
    this.#parts = parts;
    this.#confined = options.confined;
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
      if (nic.peer !== undefined) this.#startPeer(nic.peer);
      this.#startedMs = performance.now();
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  /** Resolves when the system ended by itself. */
  get ended(): Promise<Ending> {
    return this.#ending.promise;
  }

  /** The system at this moment. */
  async snapshot(): Promise<SystemSnapshot> {
    if (this.#stopping !== undefined) return await this.#stopping;
    await this.#askServices();
    return await this.#assemble(await this.#driver!.counts());
  }

  /** A capability for the caller itself. */
  async open(receives: Grant, options: OpenOptions = {}): Promise<Receiver> {
    const { sends, quotaPages = 64, copyBytesMax } = options;
    const port = this.#nextPort++;
    const data = new MessageChannel();
    const requests = new MessageChannel();
    this.#driver!.attach(port, data.port1);
    this.#filter!.attach(port, requests.port1);
    // The driver knows the holder before its capability is committed.
    await this.#driver!.counts();
    const close = async () => {
      requests.port2.close();
      this.#driver!.detach(port);
      await this.#filter!.detach(port);
    };
    try {
      const capability = await this.#client!.derive({
        from: await this.#filter!.root,
        grant: receives,
        sends: sends ?? [],
        rights: sends === undefined
          ? RIGHT_RECEIVE
          : RIGHT_RECEIVE | RIGHT_SEND,
        quotaPages,
        ...(copyBytesMax === undefined ? {} : { copyBytesMax }),
        to: port,
      });
      return new Receiver({
        port: fromMessagePort(data.port2),
        capability,
        close,
      });
    } catch (error) {
      data.port2.close();
      await close();
      throw error;
    }
  }

  /** Stops it and closes the NIC; gives the last counts. */
  stop(): Promise<SystemSnapshot> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<SystemSnapshot> {
    try {
      await this.#askServices();
      const { capabilities, refusals } = await this.#filter!.describe();
      const driver = await this.#driver!.stop();
      return this.#snapshotOf({
        driver,
        capabilities,
        refusals,
        peer: this.#peer?.counters,
      });
    } finally {
      this.#close();
    }
  }

  async #startDriver(nic: Nic, orders: MessagePort): Promise<void> {
    const control = new MessageChannel();
    const driver = new DriverHost(control.port1, {
      onOutlaw: (port) => this.#outlaw(port),
      onEnded: () => this.#ending.resolve({ reason: "nic-ended" }),
      onFailed: (message) => this.#fail(message),
    });
    this.#driver = driver;
    this.#begin(nic.part, {
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
    const filter = new FilterHost(control.port1, (port) => this.#outlaw(port));
    this.#filter = filter;
    this.#begin(this.#parts.filter, {
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
    const wired = entries.map(([name, service], i) =>
      this.#wire(name, service, i + 1)
    );
    // The driver knows all holders before the first capability is committed.
    await this.#driver!.counts();
    await Promise.all(wired.map((start) => start(client)));
    const failed = this.#services.find(({ state }) => state === "failed");
    if (failed !== undefined) {
      throw new Error(
        `service ${failed.name} did not start: ${failed.failure}`,
      );
    }
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
      () => this.#disown(port),
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
      host.thread = startPart(part, {
        settings,
        envelope,
        quotaPages,
        copyBytesMax,
        data: data.port2,
        requests: requests.port2,
        control: control.port2,
      }, {
        confined: this.#confined,
        transfer: [data.port2, requests.port2, control.port2],
        onCrash: (message) => host.fail(message),
      });
      await host.settled;
    };
  }

  #startPeer(link: MessagePort): void {
    const control = new MessageChannel();
    const { address, seed, pace } = this.#manifest;
    this.#peer = new PeerHost(control.port1);
    this.#begin(this.#parts.peer, {
      link,
      control: control.port2,
      target: address.address,
      prefixBits: address.prefixBits,
      seed,
      pace,
    }, [link, control.port2]);
  }

  /** Starts a part that the whole system needs: its crash is the system's end. */
  #begin<Start>(
    part: Part<Start>,
    start: Start,
    transfer: Transferable[],
  ): void {
    this.#threads.push(startPart(part, start, {
      confined: this.#confined,
      transfer,
      onCrash: (message) => this.#fail(message),
    }));
  }

  /** A holder was cut off by the driver or the filter service. */
  #outlaw(port: PortId): void {
    const service = this.#services.find((service) => service.port === port);
    service?.fail("it was cut off: too many of its messages were refused");
  }

  /** A service is gone: what it held is revoked, its pages are quarantined; others go on. */
  #disown(port: PortId): void {
    if (this.#stopping !== undefined) return;
    this.#driver?.detach(port);
    this.#filter?.detach(port).catch((error) => this.#fail(error.message));
  }

  #fail(message: string): void {
    this.#driver?.fail(message);
    this.#filter?.fail(message);
    this.#ending.resolve({ reason: "failed", error: new Error(message) });
  }

  async #askServices(): Promise<void> {
    await Promise.all(this.#services.map((service) => service.ask()));
    await this.#peer?.ask();
  }

  async #assemble(
    driver: Awaited<ReturnType<DriverHost["counts"]>>,
  ): Promise<SystemSnapshot> {
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

  #close(): void {
    for (const service of this.#services) service.stop();
    for (const thread of this.#threads) thread.end();
    this.#peer?.close();
    this.#filter?.close();
    this.#driver?.close();
  }
}
