/**
 * A service over all its lives.
 *
 * ```
 *           failed()              after a delay
 *  alive ─────────────► waiting ───────────────► alive
 *    │
 *    └── failed(), and hopeless or a failure too many ──► given up
 * ```
 *
 * A life begins by `begin()` and is a {@link ServiceHost}; while there is no NIC,
 * a service whose life has failed is alive: it is started with the next NIC.
 */

import { addCounts, type Counts } from "../../../caps/driver/accounts.ts";
import type { PortId } from "../../../caps/kernel/kernel.ts";
import type { ServiceNews } from "../../core/core.ts";
import type { PortCounts } from "../../core/ports.ts";
import type { Place } from "../../runtime/thread.ts";
import type {
  RestartPolicy,
  ServiceManifest,
  ServicePlace,
} from "../../manifest/manifest.ts";
import type { ServiceSnapshot } from "../snapshot.ts";
import { Restarts } from "../restarts.ts";
import type { ServiceHost } from "./host.ts";
import { addPortCounts } from "./port_counts.ts";

/**
 * Restarts after it stopped answering, in all. A worker that does not return to
 * its event loop cannot be ended (Deno 2.9.6: it runs on after `terminate()`), so
 * each of them may cost a core for good.
 */
const SILENT_RESTARTS_MAX = 2;

/** Ports of which one service is remembered to have had them: as many as a driver keeps sums of. */
const PORTS_MAX = 1024;

/** What a manifest says, as a number. */
function restartsMax(policy: RestartPolicy): number {
  if (policy === "always") return Infinity;
  if (policy === "never") return 0;
  return policy;
}

type Phase =
  | { readonly kind: "alive" | "given-up" }
  | {
    readonly kind: "waiting";
    readonly timer: ReturnType<typeof setTimeout>;
  };

/** One service of a system, which is started again when it fails. */
export class Supervised {
  readonly name: string;
  #manifest: ServiceManifest;
  readonly restarts: Restarts;
  #phase: Phase = { kind: "alive" };
  #host: ServiceHost | undefined;
  #failure: string | undefined;
  #mayRunOn = false;
  #silent = 0;
  readonly #ports = new Set<PortId>();
  readonly #before: Record<string, number> = {};
  #portsBefore: readonly PortCounts[] = [];

  constructor(name: string, service: ServiceManifest) {
    this.name = name;
    this.#manifest = service;
    this.restarts = new Restarts(restartsMax(service.restart));
  }

  /** What it is to be. */
  get manifest(): ServiceManifest {
    return this.#manifest;
  }

  /** Has its next lives be in `place`. */
  placeIn(place: ServicePlace): void {
    this.#manifest = { ...this.#manifest, place };
  }

  /** Present life, or the last one. */
  get host(): ServiceHost | undefined {
    return this.#host;
  }

  /** Why the service failed last. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Whether a life runs, or is to begin with the next NIC. */
  get isAlive(): boolean {
    return this.#phase.kind === "alive";
  }

  /** Whether a life was terminated in the middle of something: its thread may run on. */
  get mayRunOn(): boolean {
    return this.#mayRunOn;
  }

  /** Ports of all lives, the last ones at least. */
  get ports(): ReadonlySet<PortId> {
    return this.#ports;
  }

  /** Begins another life. */
  begin(host: ServiceHost): void {
    Object.assign(this.#before, this.counters);
    this.#portsBefore = this.portCounts;
    this.#phase = { kind: "alive" };
    this.#host = host;
  }

  /** Notes why a life failed that does not count: nothing waits for another one. */
  noteFailure({ failure }: ServiceHost): void {
    this.#failure = failure;
  }

  /**
   * Ends a life. Calls `restart` after a delay, unless the service is given up.
   * Returns the delay; undefined for a service that is given up.
   */
  failed(host: ServiceHost, restart: () => void): number | undefined {
    this.noteFailure(host);
    const { wasCutOff, silent } = host;
    // A process is killed, whatever it does.
    if (this.manifest.place !== "process") {
      if (silent) this.#silent++;
      this.#mayRunOn ||= silent || wasCutOff;
    }
    const hopeless = wasCutOff || this.#silent > SILENT_RESTARTS_MAX;
    const delayMs = hopeless
      ? undefined
      : this.restarts.failed(performance.now());
    this.#phase = delayMs === undefined
      ? { kind: "given-up" }
      : { kind: "waiting", timer: setTimeout(restart, delayMs) };
    return delayMs;
  }

  /** Ends the wait: what comes next is another life, with this NIC or the next. */
  endWait(): void {
    if (this.#phase.kind === "waiting") this.#phase = { kind: "alive" };
  }

  /** Ends the service with its system. */
  stop(): void {
    if (this.#phase.kind === "waiting") clearTimeout(this.#phase.timer);
    this.#host?.stop();
  }

  /** Whether its life runs, and ends with the NIC's: in the driver's thread, or in a process that the driver started. */
  get endsWithNic(): boolean {
    const kind = this.place?.kind;
    return this.#host?.state === "running" &&
      (kind === "driver" || kind === "process");
  }

  /** What the driver and the filter service know it by now. */
  get port(): PortId | undefined {
    return this.#host?.port;
  }

  /** Where its life now runs; undefined while none was started. */
  get place(): Place | undefined {
    return this.#host?.place;
  }

  /** Where its life runs, or ran last; before the first one, where it is to run. */
  get lastPlace(): ServiceSnapshot["place"] {
    return this.#host?.thread?.place.kind ?? this.manifest.place;
  }

  /** What it used of memory when it was asked last. */
  get memoryBytes(): number {
    return this.#host?.memoryBytes ?? 0;
  }

  /** Has it say what it counted and what it uses. */
  async ask(): Promise<void> {
    await this.#host?.ask();
  }

  /** Ends it for what it did; it is not started again. */
  cutOff(failure: string): void {
    this.#host?.cutOff(failure);
  }

  /** Only a running one handles packets. */
  get state(): ServiceSnapshot["state"] {
    const state = this.#host?.state ?? "starting";
    const ended = state === "failed" || state === "stopped";
    return ended && this.#phase.kind !== "given-up" ? "restarting" : state;
  }

  /** What it counted, in all its lives. */
  get counters(): Counts {
    return addCounts([this.#before, this.#host?.counters ?? {}]);
  }

  /** What it counted at its ports, in all its lives. */
  get portCounts(): readonly PortCounts[] {
    return addPortCounts(this.#portsBefore, this.#host?.portCounts ?? []);
  }

  /** What was refused of the messages of its life now. */
  get refusals(): Counts {
    return this.#host?.refusals ?? {};
  }

  /** State, as those who watch it are told; undefined when that is no news. */
  get news(): ServiceNews | undefined {
    const { name, state } = this;
    return state === "starting" || state === "stopped"
      ? undefined
      : { name, state };
  }

  /** Takes a port, to a NIC that may be another than before. */
  connected(port: PortId): void {
    this.#ports.add(port);
    if (this.#ports.size <= PORTS_MAX) return;
    const [oldest] = this.#ports;
    this.#ports.delete(oldest!);
  }
}
