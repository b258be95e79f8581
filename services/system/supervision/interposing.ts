/** What is interposed between a system's driver and its services. */

import {
  type HolderLimits,
  INTERPOSED_LIMITS,
  PLAIN_LIMITS,
} from "../../../caps/driver/messages.ts";
import { fromMessagePort } from "../../../caps/port/port.ts";
import { takeNow } from "../../../drivers/service/start.ts";
import type { Interposer } from "../../interpose/interposer.ts";
import { Relay } from "../../interpose/relay.ts";
import { makeInterposer } from "../../manifest/interposer.ts";
import type { Manifest } from "../../manifest/manifest.ts";
import type { InterposerSnapshot } from "../snapshot.ts";
import type { ServiceInterposers } from "../system.ts";
import { FrameLog } from "./frame_log.ts";

/** Interposes for the services of one system. */
export class Interposing {
  readonly #services: Manifest["services"];
  readonly #own: ServiceInterposers;
  readonly #onFlood: (name: string) => void;
  readonly #logs: FrameLog[] = [];
  /** By service; they outlive its restarts, and go on counting. */
  readonly #interposers = new Map<string, readonly Interposer[]>();
  /** By service: the one that runs. */
  readonly #relays = new Map<string, Relay>();

  /** `onFlood` hears of a service that has more under way than it may. */
  constructor(
    services: Manifest["services"],
    own: ServiceInterposers,
    onFlood: (name: string) => void,
  ) {
    this.#services = services;
    this.#onFlood = onFlood;
    this.#own = own;
  }

  /**
   * What a service is to be given in place of `data`, its end of the channel to
   * the driver; `data` itself when nothing is interposed.
   * @throws {Error} that names the file when a log cannot be written.
   */
  interpose(name: string, data: MessagePort): MessagePort {
    const interposers = this.#of(name);
    if (interposers.length === 0) return data;
    const service = this.#services[name];
    if (service?.trusted && service.place !== "driver") {
      throw new Error(
        `service ${name} is trusted with packet memory: nothing can be interposed before it`,
      );
    }
    this.release(name);
    const relay = new Relay(fromMessagePort(data, { takeNow }), interposers, {
      takeNow,
      onFlood: () => this.#onFlood(name),
    });
    this.#relays.set(name, relay);
    return relay.holder;
  }

  /** Gives the driver back what is held for a service that has ended. To be called before the driver disconnects the service. */
  release(name: string): void {
    this.#relays.get(name)?.[Symbol.dispose]();
    this.#relays.delete(name);
  }

  /** The driver is about to stop: nothing is held any more. */
  hurry(): void {
    for (const relay of this.#relays.values()) relay.hurry();
  }

  /** Whether something is interposed before a service. */
  isBefore(name: string): boolean {
    return this.#of(name).length > 0;
  }

  /** What a service is held to by the driver. */
  limits(name: string): HolderLimits {
    return this.#of(name).length === 0 ? PLAIN_LIMITS : INTERPOSED_LIMITS;
  }

  /** The names of what is interposed before the life of a service that runs, the nearest to the driver first. */
  namesBefore(name: string): readonly string[] {
    if (!this.#relays.has(name)) return [];
    return this.#of(name).map((interposer) => interposer.name);
  }

  /** What the interposers of a service have counted. */
  snapshot(name: string): readonly InterposerSnapshot[] {
    const all = this.#interposers.get(name) ?? [];
    return all.map(({ name, tally }) => ({ name, counters: tally.snapshot() }));
  }

  /** Ends all of them. */
  stop(): void {
    for (const name of [...this.#relays.keys()]) this.release(name);
    for (const log of this.#logs) log[Symbol.dispose]();
  }

  /** Interposers of a service: the manifest's are nearer to the driver. */
  #of(name: string): readonly Interposer[] {
    const made = this.#interposers.get(name);
    if (made !== undefined) return made;
    const specs = this.#services[name]?.interpose ?? [];
    const own = Object.hasOwn(this.#own, name) ? this.#own[name]! : [];
    const all = [
      ...specs.map((spec) => makeInterposer(spec, (file) => this.#log(file))),
      ...own,
    ];
    this.#interposers.set(name, all);
    return all;
  }

  #log(file: string): FrameLog {
    const log = new FrameLog(file);
    this.#logs.push(log);
    return log;
  }
}
