/**
 * One life of a NIC: its driver service, its filter service and the packet
 * memory between them. When one of them has ended, the life has: capabilities do
 * not outlive the service that issued them, nor the one that knows them.
 */

import { given } from "../../../caps/kernel/given.ts";
import {
  lendableFrames,
  makePacketMemory,
  type PacketMemory,
  wasmPagesOf,
} from "../../../caps/memory/memory.ts";
import type { Counts } from "../../../caps/driver/accounts.ts";
import type { DriverCounts } from "../../../caps/driver/messages.ts";
import type { PortId } from "../../../caps/kernel/kernel.ts";
import { makeResourceList } from "../../../drivers/sys/resource_list.ts";
import type { Manifest } from "../../manifest/manifest.ts";
import type { Part, Place, Thread, Threads } from "../../runtime/thread.ts";
import { Connector, type PortNumbers, SYSTEM_PORT } from "./connector.ts";
import { DriverHost } from "../driver/host.ts";
import { runHere } from "../driver/run_here.ts";
import { FilterHost } from "../filter/host.ts";
import type { Nic, Parts } from "../parts.ts";

/** How often a worker is asked whether it is alive. */
const HEARTBEAT_MS = 1000;

/** What is told of a NIC's life. */
export interface NicEvents {
  /** A holder was cut off for what it sent or asked. */
  onCutOff(port: PortId, refusals: Counts): void;
  /** Nothing will ever arrive again; what was wrong with that, if anything. */
  onEnded(warning: string | undefined): void;
  /** What a person should know of the NIC, in one line. */
  onNotice(text: string): void;
  /**
   * Called once when it fails by a fault of its own, with the reason in one line. With
   * `mayRunOn` a part only stopped answering, and cannot be ended.
   */
  onCrashed(message: string, mayRunOn: boolean): void;
}

/** What a NIC's life is made of. */
export interface NicLifeOptions {
  readonly manifest: Manifest;
  readonly parts: Parts;
  readonly threads: Threads;
  /** Whether its parts have threads of their own, which can stop answering. */
  readonly confined: boolean;
  /** Whether an earlier life ended with its interface: the interface is waited for. */
  readonly awaited: boolean;
  /** What its holders are known by. */
  readonly ports: PortNumbers;
  readonly events: NicEvents;
  /** Closes what a driver that died in its worker had of the kernel. */
  readonly release: (resources: SharedArrayBuffer) => Promise<void>;
}

/** A NIC's driver service and filter service, from their start to their end. */
export class NicLife {
  readonly nic: Nic;
  /** Held here for as long as it lives: pages made of it do not keep it alive. */
  readonly memory: PacketMemory;
  readonly #options: NicLifeOptions;
  /** What its driver has of the kernel, where that can outlive it. */
  readonly #resources: SharedArrayBuffer | undefined;
  #driverThread: Thread | undefined;
  #filterThread: Thread | undefined;
  readonly #crashed = Promise.withResolvers<never>();
  #driver: DriverHost | undefined;
  #filter: FilterHost | undefined;
  #connector: Connector | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #over = false;
  #mayRunOn = false;
  #closed: Promise<DriverCounts | undefined> | undefined;

  /** Nothing is opened before {@link start}. */
  constructor(options: NicLifeOptions) {
    this.#options = options;
    this.nic = options.parts.nic(options.manifest, options.awaited);
    const { frames, extents } = options.manifest;
    this.memory = makePacketMemory(frames, extents);
    const mayLeave = options.confined && this.nic.mapped === true;
    this.#resources = mayLeave ? makeResourceList() : undefined;
    this.#crashed.promise.catch(() => {});
  }

  /** The driver service's. */
  get driver(): DriverHost {
    return this.#driver!;
  }

  /** The filter service's. */
  get filter(): FilterHost {
    return this.#filter!;
  }

  /** Where the driver service and the filter service run, once they were started. */
  get places(): { readonly driver: Place; readonly filter: Place } {
    return {
      driver: this.#driverThread!.place,
      filter: this.#filterThread!.place,
    };
  }

  /** Connects holders, once it was started. */
  get connector(): Connector {
    return this.#connector!;
  }

  /**
   * Opens the NIC; resolves when holders can be connected.
   * @throws when that fails, in one line.
   */
  async start(): Promise<void> {
    const orders = new MessageChannel();
    await this.unlessCrashed(this.#startDriver(orders.port1));
    await this.unlessCrashed(this.#startFilter(orders.port2));
    this.#connector = new Connector(
      this.driver,
      this.filter,
      this.#options.ports,
      this.memory,
      this.nic.startsProcesses ?? false,
    );
    if (!this.#options.confined) return;
    this.#heartbeat = setInterval(() => {
      this.driver.counts().catch((error) => this.#silent(error));
      this.filter.ping().catch((error) => this.#silent(error));
    }, HEARTBEAT_MS);
  }

  /** Waits for `work`, but not on parts that have ended. */
  async unlessCrashed<T>(work: Promise<T>): Promise<T> {
    return await Promise.race([work, this.#crashed.promise]);
  }

  /** Ends it for a reason for which it cannot go on. */
  crash(message: string): void {
    if (this.#over) return;
    this.#end(message);
    this.#options.events.onCrashed(message, this.#mayRunOn);
  }

  /** A worker that does not return to its event loop runs on whatever is done. */
  #silent(error: Error): void {
    this.#mayRunOn = true;
    this.crash(error.message);
  }

  /**
   * Closes the NIC, if that can still be done, and ends both services. Resolves
   * with the driver's last counts, where it still said them.
   */
  close(): Promise<DriverCounts | undefined> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<DriverCounts | undefined> {
    this.#end("the system is over");
    // A driver leaves its NIC as it found it, if it still can.
    const last = await this.#driver?.stop().catch(() => undefined);
    this.#filter?.fail("the system is over");
    this.#filter?.close();
    this.#driver?.close();
    this.#driverThread?.end();
    this.#filterThread?.end();
    this.nic.release?.();
    // Under one that runs on, nothing is closed: its next call would meet what
    // somebody else has opened since.
    if (!this.#mayRunOn && this.#resources !== undefined) {
      // A nursery that has crashed closes nothing, and ends the system.
      await this.#options.release(this.#resources).catch(() => {});
    }
    return last;
  }

  #end(message: string): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#heartbeat);
    this.#filter?.fail(message);
    this.#connector?.[Symbol.dispose]();
    this.#crashed.reject(new Error(message));
  }

  async #startDriver(orders: MessagePort): Promise<void> {
    const { nic, memory } = this;
    const control = new MessageChannel();
    const { onCutOff, onEnded, onNotice } = this.#options.events;
    const driver = new DriverHost(control.port1, {
      onCutOff,
      onEnded,
      onNotice,
      onFailed: (message) => this.#driverGone(message),
    });
    this.#driver = driver;
    this.#driverThread = this.#begin(
      nic.part,
      {
        options: nic.options,
        memory: memory.wasm,
        frameCount: memory.frameCount,
        extentCount: memory.extentCount,
        spin: this.#options.manifest.spin,
        ...given({ write: nic.write, resources: this.#resources }),
        // To a worker no function can be sent: it has its own.
        ...(this.#options.confined
          ? {}
          : { run: runHere(this.#options.parts) }),
        orders,
        control: control.port2,
      },
      [...nic.transfer, orders, control.port2],
      (message) => this.#driverGone(`the driver has crashed: ${message}`),
    );
    await driver.opened;
  }

  /** Nobody waits for it to close its NIC. */
  #driverGone(message: string): void {
    this.#driver?.fail(message);
    this.crash(message);
  }

  async #startFilter(driver: MessagePort): Promise<void> {
    const { nic, memory } = this;
    const control = new MessageChannel();
    const { onCutOff } = this.#options.events;
    const filter = new FilterHost(control.port1, onCutOff);
    this.#filter = filter;
    this.#filterThread = this.#begin(
      this.#options.parts.filter,
      {
        target: {
          memoryPages: wasmPagesOf(memory),
          ...given({ kernel: nic.kernel, socket: nic.socket }),
        },
        quotaPages: lendableFrames(memory.frameCount),
        system: SYSTEM_PORT,
        driver,
        control: control.port2,
      },
      [driver, control.port2],
      (message) => this.crash(`the filter service has crashed: ${message}`),
    );
    await filter.root;
  }

  #begin<Start>(
    part: Part<Start>,
    start: Start,
    transfer: Transferable[],
    onCrash: (message: string) => void,
  ): Thread {
    const { threads } = this.#options;
    return threads.start(part, start, { transfer, onCrash });
  }
}
